/* Planning of reductions. */
#ifndef DYNTRACE_VM_PLAN_REDUCE_H
#define DYNTRACE_VM_PLAN_REDUCE_H

#include "vm/plan/planner.h"

Status reduce_plan(Planner *planner, const Instr *instr);

#endif
