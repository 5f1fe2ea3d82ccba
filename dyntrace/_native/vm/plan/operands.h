/* Operands that a group reads from outside: arrays in memory, and numbers. */
#ifndef DYNTRACE_VM_PLAN_OPERANDS_H
#define DYNTRACE_VM_PLAN_OPERANDS_H

#include "vm/plan/planner.h"

/* The number of the operand, which is new only if the group has none for the register; -1: out of
   memory. `rows`: the value has one element for each row of the group. */
int operand_external(Planner *planner, Group *group, short reg, const Value *value, bool rows);
int operand_scalar(Planner *planner, Group *group, short reg, const PyArray_Descr *descr);

#endif
