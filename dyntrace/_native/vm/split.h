/* Running a segment in parts, where its layout cannot be planned. */
#ifndef DYNTRACE_VM_SPLIT_H
#define DYNTRACE_VM_SPLIT_H

#include "vm/program/program.h"
#include "vm/program/status.h"

/* Runs the segment. Where it has no plan, NumPy runs the node at fault, and the machine the
   rest. */
Status split_run(Program *program, Segment *segment, PyObject **objects);
void split_clear(Segment *segment); /* frees plans and parts */

#endif
