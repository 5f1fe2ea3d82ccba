/* Which micro-operations may run short lines column by column, with one loop call for each column.

   Invariant: the result has the bits that one call for each line gives. group/tiles.c runs the
   columns. */
#include "vm/plan/columns.h"

/* Whether no other operand shares the memory that the operand is written to. Then the order of the
   writes does not matter. */
static bool
writes_apart(const Plan *plan, const Operand *operand)
{
    if (operand->code == OPERAND_TILE || operand->code == OPERAND_ROW) {
        return true;
    }
    BaseCode base = operand->base < 0 ? BASE_OBJECT : plan->bases[operand->base].code;
    return base == BASE_NEW || base == BASE_BLOCK;
}

/* Whether the loop has one operand and a bool result, as isnan, isinf, isfinite and signbit do.
   Their loops skip elements of a result that is not contiguous, so they get whole lines. */
static bool
is_told_of_one(const Micro *micro, const Operand *result)
{
    return micro->count == 2 && result->type == NPY_BOOL;
}

/* Loops over bools are left out: by their strides they compare bytes or truth, and columns have
   other strides than lines. */
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
