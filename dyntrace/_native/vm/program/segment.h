/* Segments: facts derived from their instructions and exports, and parts of segments. */
#ifndef DYNTRACE_VM_PROGRAM_SEGMENT_H
#define DYNTRACE_VM_PROGRAM_SEGMENT_H

#include "vm/program/program.h"

/* Counts reads by register, and the numbers of a key; false: too many reads, or out of memory. */
bool segment_count(const Program *program, Segment *segment);
bool segment_complete(const Program *program, Segment *part, const bool *wanted);
void segment_clear(Segment *segment); /* frees the derived facts */
/* The first node that reads, or makes, the register; else the first node of all. */
const Node *segment_reader(const Segment *segment, short reg);
const Node *segment_maker(const Segment *segment, short reg);
void segment_mark_reads(const Node *nodes, int count, bool *marks);

#endif
