/* Which micro-operations may take short lines column by column, one loop call for each column.

   Invariant: the result has the bits that a call for each line would give. Read group/tiles.c for
   where it is done. */
#include "vm/plan/columns.h"

/* Whether nothing else is in the memory that a micro-operation writes: then any order will do. */
static bool
writes_apart(const Plan *plan, const Operand *operand)
{
    if (operand->code == OPERAND_TILE || operand->code == OPERAND_ROW) {
        return true;
    }
    BaseCode base = operand->base < 0 ? BASE_OBJECT : plan->bases[operand->base].code;
    return base == BASE_NEW || base == BASE_BLOCK;
}

/* NumPy's isnan, isinf, isfinite and signbit leave out items of results that do not lie side by
   side, so their rows are taken as they are. */
static bool
is_told_of_one(const Micro *micro, const Operand *result)
{
    return micro->count == 2 && result->type == NPY_BOOL;
}

/* Bools are compared by their bytes or by their truth, which strides decide. */
static ColumnKind
columns_of_elements(const Plan *plan, const Group *group, const Micro *micro)
{
    const Operand *first = &group->operands[micro->args[0]];
    const Operand *result = &group->operands[micro->args[micro->count - 1]];
    bool plain = micro->exact == EXACT && micro->bytes == 0 && first->type != NPY_BOOL
                 && !is_told_of_one(micro, result);
    return plain && writes_apart(plan, result) ? COLUMNS_IN_ORDER : NO_COLUMNS;
}

static ColumnKind
columns_of_reduction(const Group *group, const Micro *micro)
{
    const Instr *instr = micro->instr;
    if (group->mode != ROWS || instr->kind != BY_LOOP) {
        return NO_COLUMNS;
    }
    switch (instr->split) {
    case SPLIT_PARTS:
        return COLUMNS_IN_ORDER;
    case SPLIT_TREE:
        return COLUMNS_REST_FIRST;
    case SPLIT_FRAGILE:
        return COLUMNS_FRAGILE;
    case SPLIT_WHOLE:
    case SPLIT_CHUNKS:
        break;
    }
    return NO_COLUMNS;
}

void
columns_find(const Plan *plan, Group *group)
{
    for (int k = 0; k < group->micro_count; k++) {
        Micro *micro = &group->micros[k];
        micro->columns = micro->code == MICRO_REDUCE ? columns_of_reduction(group, micro)
                                                     : columns_of_elements(plan, group, micro);
    }
}
