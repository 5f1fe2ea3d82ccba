/* Running a segment: one call with the arrays at hand. */
#ifndef DYNTRACE_VM_RUN_H
#define DYNTRACE_VM_RUN_H

#include "vm/program/program.h"
#include "vm/program/status.h"

/* UNPLANNED: `fault` is the node that NumPy has to run. */
Status run_segment(Program *program, Segment *segment, PyObject **objects, const Node **fault);
int run_init(void);

#endif
