/* Planning of the trailing effect: the write into an array that exists. */
#ifndef DYNTRACE_VM_PLAN_ASSIGN_H
#define DYNTRACE_VM_PLAN_ASSIGN_H

#include "vm/plan/planner.h"

Status assign_plan(Planner *planner, const Instr *instr);

#endif
