/* Running a segment, in parts where its layout cannot be planned. */
#ifndef DYNTRACE_VM_SPLIT_H
#define DYNTRACE_VM_SPLIT_H

#include "vm/program/program.h"
#include "vm/program/status.h"

/* Where a part has no plan, NumPy runs a node, and the machine goes on behind it. */
Status split_run(Program *program, Segment *segment, PyObject **objects);
void split_clear(Segment *segment); /* frees its plans, its parts and theirs */

#endif
