/* Segments: what follows from their instructions and exports, and parts of them. */
#ifndef DYNTRACE_VM_PROGRAM_SEGMENT_H
#define DYNTRACE_VM_PROGRAM_SEGMENT_H

#include "vm/program/program.h"

/* What follows from a segment's instructions and exports; false: too much, or memory is short. */
bool segment_count(const Program *program, Segment *segment);
bool segment_complete(const Program *program, Segment *part, const bool *wanted);
void segment_clear(Segment *segment); /* what follows from its instructions */
const Node *segment_reader(const Segment *segment, short reg); /* else the first node */
const Node *segment_maker(const Segment *segment, short reg);
void segment_mark_reads(const Node *nodes, int count, bool *marks);

#endif
