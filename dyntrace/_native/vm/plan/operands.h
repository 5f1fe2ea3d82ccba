/* Operands of a group from outside it: arrays in memory, and numbers. */
#ifndef DYNTRACE_VM_PLAN_OPERANDS_H
#define DYNTRACE_VM_PLAN_OPERANDS_H

#include "vm/plan/planner.h"

/* Each is made once for what it stands for; -1: out of memory. `rows`: an element for each row. */
int operand_external(Planner *planner, Group *group, short reg, const Value *value, bool rows);
int operand_scalar(Planner *planner, Group *group, short reg, const PyArray_Descr *descr);

#endif
