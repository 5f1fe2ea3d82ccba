/* Operands that a group reads from outside: arrays in memory, and numbers converted for each call.

   Invariant: a group has one operand for each array, and one for each number and dtype, so equal
   reads share it. Read group/group.h for the kinds of operands. */
#include "vm/plan/operands.h"

/* The strides of the value along the group's axes, 0 where it is broadcast; with `rows`, along the
   outer axes only. */
static void
lay_along(const Group *group, const Value *value, bool rows, npy_intp *axes)
{
    if (!rows) {
        int shift = group->ndim - value->ndim;
        for (int i = 0; i < group->ndim; i++) {
            bool broadcast = i < shift || value->dims[i - shift] == 1;
            axes[i] = broadcast ? 0 : value->strides[i - shift];
        }
        return;
    }
    int next = 0;
    for (int i = 0; i < group->ndim; i++) {
        axes[i] = 0;
        if (i < group->ndim - group->inner && group->dims[i] != 1) {
            while (value->dims[next] == 1) {
                next++;
            }
            axes[i] = value->strides[next++];
        }
    }
}

int
operand_external(Planner *planner, Group *group, short reg, const Value *value, bool rows)
{
    OperandCode code = value->size == 1 ? OPERAND_SCALAR : rows ? OPERAND_LANES : OPERAND_LINES;
    for (int i = 0; i < group->operand_count; i++) {
        const Operand *known = &group->operands[i];
        if (!known->written && known->reg == reg && known->code == code) {
            return i;
        }
    }
    const Register *declared = &planner->program->registers[reg];
    Operand *operand = group_operand(group);
    if (operand == NULL) {
        return -1;
    }
    operand->code = code;
    operand->reg = reg;
    operand->base = value->base;
    operand->offset = value->offset;
    operand->itemsize = declared->itemsize;
    operand->type = declared->descr->type_num;
    if (code != OPERAND_SCALAR) {
        lay_along(group, value, rows, operand->axes);
    }
    return group->operand_count - 1;
}

int
operand_scalar(Planner *planner, Group *group, short reg, const PyArray_Descr *descr)
{
    Plan *plan = planner->plan;
    for (int i = 0; i < group->operand_count; i++) {
        const Operand *known = &group->operands[i];
        if (known->code == OPERAND_SCALAR && known->reg == reg && known->type == descr->type_num) {
            return i;
        }
    }
    int number = planner_base(plan, BASE_SCALAR, reg, PyDataType_ELSIZE(descr));
    if (number < 0) {
        return -1;
    }
    const Value *value = &plan->values[reg];
    plan->bases[number].descr = descr;
    plan->bases[number].count = value->where == IN_COUNT ? value->offset : -1;
    Operand *operand = group_operand(group);
    if (operand == NULL) {
        return -1;
    }
    operand->code = OPERAND_SCALAR;
    operand->reg = reg;
    operand->base = (short)number;
    operand->type = descr->type_num;
    operand->itemsize = PyDataType_ELSIZE(descr);
    return group->operand_count - 1;
}
