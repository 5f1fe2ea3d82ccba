/* Planning of views, and running segments of views alone. */
#ifndef DYNTRACE_VM_PLAN_VIEWS_H
#define DYNTRACE_VM_PLAN_VIEWS_H

#include "vm/plan/planner.h"

Status views_plan(Planner *planner, const Instr *instr);
Status views_run(const Program *program, const Segment *segment, PyObject **objects);

#endif
