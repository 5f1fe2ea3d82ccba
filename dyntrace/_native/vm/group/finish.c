/* Closing a group: divides its elements into lines, and decides how each operand is walked.

   Closing coalesces the axes (axes.c), cuts tiles (cut.c) and places buffers (buffers.c).
   Invariants: the elements of a tile follow the group's memory order, so results are dense in
   memory and in buffers; a loop whose bits may depend on strides gets the strides that NumPy would
   give it. Otherwise the group is UNPLANNED, and names the node that NumPy has to run. */
#include "vm/group/finish.h"

#include "vm/array/layout.h"
#include "vm/group/axes.h"
#include "vm/group/buffers.h"
#include "vm/group/cut.h"

static bool
is_flat(const Group *group, const Operand *operand)
{
    return layout_is_dense_in_order(group->rank, group->extents, operand->strides,
                                    operand->itemsize);
}

/* Whether the elements for the rows have one stride in memory, which becomes the first stride. */
static bool
make_even(const Group *group, Operand *operand)
{
    int outer = group->rank - 1;
    if (outer > 1) {
        npy_intp step = operand->strides[outer - 1];
        if (!layout_is_dense_in_order(outer, group->extents, operand->strides, step)) {
            return false;
        }
        operand->strides[0] = step;
    }
    return true;
}

static bool
uses(const Micro *micro, int operand)
{
    for (int i = 0; i < micro->count; i++) {
        if (micro->args[i] == operand) {
            return true;
        }
    }
    return false;
}

/* UNPLANNED: NumPy has to run the first node that uses the operand, or the one that reduces if
   `operand` is -1. */
static Status
give_up(Group *group, int operand)
{
    for (int k = group->micro_count - 1; k >= 0; k--) {
        const Micro *micro = &group->micros[k];
        bool found = operand < 0 ? micro->code == MICRO_REDUCE : uses(micro, operand);
        if (found && micro->instr != NULL) {
            group->fault = micro->instr->node;
        }
    }
    return UNPLANNED;
}

/* Divides the elements into lines, and finds the operands that are dense in the group's order. */
static Status
make_lines(Group *group)
{
    axes_coalesce(group);
    bool split = group->mode == ROWS || group->mode == COLUMNS;
    if (split && axes_inner_rank(group) > 1) {
        return give_up(group, -1);
    }
    if (split && axes_inner_rank(group) == 0) { /* rows of one element */
        group->extents[group->rank++] = 1;
        for (int i = 0; i < group->operand_count; i++) {
            group->operands[i].strides[group->rank - 1] = 0;
        }
    }
    bool linear = group->mode == TREE || group->mode == PARTS;
    if (linear && group->rank > 1) {
        return give_up(group, -1);
    }
    group->line = group->rank > 0 ? group->extents[group->rank - 1] : 1;
    group->lines = group->line > 0 ? group->size / group->line : 0;
    group->blocks = 1;
    for (int i = 0; i < group->ndim; i++) {
        group->blocks *= axes_part(group, i) == OUTER ? group->dims[i] : 1;
    }
    for (int i = 0; i < group->operand_count; i++) {
        Operand *operand = &group->operands[i];
        if (operand->code == OPERAND_LINES && is_flat(group, operand)) {
            operand->code = OPERAND_FLAT;
        }
        if (operand->code == OPERAND_LANES && !make_even(group, operand)) {
            return give_up(group, i);
        }
    }
    return DONE;
}

/* Whether a WHOLE_LOOP loop would begin or end elsewhere than in NumPy's call. A group of one line
   has NumPy's line, which is cut at multiples of 64. */
static bool
loses_place(const Group *group, const Micro *micro)
{
    return micro->exact == WHOLE_LOOP && (micro->code != MICRO_FULL || group->rank > 1);
}

/* Whether a STRIDED loop reads an operand that has one element for each line. NumPy's iterator
   copies such an operand into its buffer if lines are short, so it has a stride there. The loop of
   power takes square roots and squares only if the exponent has stride 0. */
static bool
is_written_out(const Group *group, const Micro *micro, int arg)
{
    const Operand *operand = &group->operands[micro->args[arg]];
    bool repeated = operand->code == OPERAND_LANES || operand->code == OPERAND_ROW
                    || (operand->code == OPERAND_LINES && group->rank > 1
                        && operand->strides[group->rank - 1] == 0);
    return micro->code == MICRO_FULL && micro->exact == STRIDED && arg > 0
           && arg < micro->instr->nin && group->lines > 1 && repeated;
}

/* Decides whether the operation needs a call for each line. UNPLANNED: its bits forbid that. */
static Status
check_micro(Group *group, Micro *micro)
{
    if (loses_place(group, micro)) {
        group->fault = micro->instr->node;
        return UNPLANNED;
    }
    for (int i = 0; i < micro->count; i++) {
        const Operand *operand = &group->operands[micro->args[i]];
        bool lines = operand->code == OPERAND_LINES;
        if (micro->code == MICRO_FULL) {
            micro->by_line |= (lines && group->rank > 1) || operand->code == OPERAND_ROW
                              || operand->code == OPERAND_LANES;
        }
        bool turned = lines && group->rank > 0 && operand->strides[group->rank - 1] < 0;
        if ((turned && micro->exact != EXACT) || is_written_out(group, micro, i)) {
            group->fault = micro->instr->node;
            return UNPLANNED;
        }
    }
    if (micro->by_line && micro->exact != EXACT && group->line == 1 && group->lines > 1) {
        group->fault = micro->instr->node; /* NumPy's line is an axis longer than one */
        return UNPLANNED;
    }
    return DONE;
}

enum { STREAM_FROM = 24 << 20 }; /* bytes of a result that no cache would hold */

/* Makes a large result that its tile does not read again in a buffer, and streams it to memory. */
static Status
stream_results(Group *group)
{
    int count = group->operand_count, micros = group->micro_count;
    for (int i = 0; i < count && loop_stream() != NULL; i++) {
        Operand *operand = &group->operands[i];
        bool large = operand->kept && operand->code == OPERAND_TILE
                     && group->size * operand->itemsize >= STREAM_FROM
                     && group->mode != COLUMNS;
        const Micro *maker = large ? &group->micros[operand->last] : NULL;
        if (!large || maker->args[maker->count - 1] != i || operand->last >= micros) {
            continue;
        }
        Operand kept = *operand;
        kept.reg = -1;
        int made = group_new(group, OPERAND_FLAT, -1, kept.type, kept.itemsize);
        Micro *micro = made < 0 ? NULL : group_micro(group, MICRO_FULL);
        if (micro == NULL) {
            return FAILED;
        }
        operand = &group->operands[i];
        operand->kept = false;
        operand->base = -1;
        operand->last = (short)(group->micro_count - 1);
        group->operands[made].kept = true;
        group->operands[made].base = kept.base;
        group->operands[made].offset = kept.offset;
        group->operands[made].last = operand->last;
        micro->count = 2;
        micro->args[0] = (short)i;
        micro->args[1] = (short)made;
        micro->function = loop_stream();
        micro->bytes = (uint8_t)kept.itemsize;
        micro->exact = EXACT;
        group->streams = true;
    }
    return DONE;
}

/* Lets the loops write kept results straight into memory, instead of a buffer. */
static void
point_at_results(Group *group)
{
    for (int i = 0; i < group->operand_count; i++) {
        Operand *operand = &group->operands[i];
        if (operand->kept && operand->code == OPERAND_TILE) {
            operand->code = OPERAND_FLAT;
        }
        if (operand->kept && operand->code == OPERAND_ROW) {
            operand->code = OPERAND_LANES;
            npy_intp step = operand->itemsize;
            for (int axis = group->ndim - group->inner - 1; axis >= 0; axis--) {
                operand->axes[axis] = group->dims[axis] == 1 ? 0 : step;
                step *= group->dims[axis];
            }
        }
    }
}

/* Finds the last use of each operand, since the order of micro-operations is final. */
static void
find_last_uses(Group *group)
{
    for (int k = 0; k < group->micro_count; k++) {
        for (int i = 0; i < group->micros[k].count; i++) {
            group->operands[group->micros[k].args[i]].last = (short)k;
        }
    }
}

Status
finish_group(Group *group)
{
    if (group->size == 0) {
        return DONE;
    }
    find_last_uses(group);
    Status status = stream_results(group);
    point_at_results(group);
    if (status == DONE) {
        status = make_lines(group);
    }
    for (int k = 0; k < group->micro_count && status == DONE; k++) {
        status = check_micro(group, &group->micros[k]);
        const Micro *micro = &group->micros[k];
        group->cost +=
            micro->cost * (double)(micro->code == MICRO_ROW ? group->lines : group->size);
        group->cost += micro->by_line ? 5.0 * (double)group->lines : 0;
    }
    if (status == DONE) {
        status = cut_tiles(group);
    }
    return status == DONE ? buffers_place(group) : status;
}
