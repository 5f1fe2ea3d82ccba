/* Planning of elementwise instructions: ufuncs, casts, copies and `where`. */
#ifndef DYNTRACE_VM_PLAN_ELEMENTWISE_H
#define DYNTRACE_VM_PLAN_ELEMENTWISE_H

#include "vm/plan/planner.h"

Status elementwise_plan(Planner *planner, const Instr *instr);

#endif
