/* The axes of a group, coalesced as far as its operands in memory allow.

   Two neighbouring axes become one if each operand in memory has one stride for both together.
   Invariant: coalesced axes go from the slowest to the fastest in the group's memory order. Read
   finish.c for the lines that they make. */
#include "vm/group/axes.h"

AxisPart
axes_part(const Group *group, int axis)
{
    int behind = group->ndim - axis;
    if (group->mode == ROWS) {
        return behind <= group->inner ? INNER : OUTER;
    }
    if (group->mode == COLUMNS) { /* `inner` counts the kept axes after the reduced ones */
        return behind <= group->inner ? INNER : group->reduced >> axis & 1 ? MIDDLE : OUTER;
    }
    return INNER;
}

/* The axes that are longer than one, slowest first. */
static int
ordered_axes(const Group *group, int *axes)
{
    int count = 0;
    for (int i = 0; i < group->ndim; i++) {
        if (group->dims[i] == 1) {
            continue;
        }
        int place = count++;
        while (place > 0 && group->order[axes[place - 1]] < group->order[i]) {
            axes[place] = axes[place - 1];
            place--;
        }
        axes[place] = i;
    }
    return count;
}

static bool
is_external(const Operand *operand)
{
    return operand->code == OPERAND_LINES || operand->code == OPERAND_LANES;
}

static bool
can_merge(const Group *group, int outer, int inner)
{
    if (axes_part(group, outer) != axes_part(group, inner)) {
        return false;
    }
    for (int i = 0; i < group->operand_count; i++) {
        const Operand *operand = &group->operands[i];
        if (is_external(operand)
            && operand->axes[outer] != operand->axes[inner] * group->dims[inner]) {
            return false;
        }
    }
    return true;
}

void
axes_coalesce(Group *group)
{
    int axes[MAX_NDIM], count = ordered_axes(group, axes), rank = 0;
    for (int i = 0; i < count; i++) {
        if (i > 0 && can_merge(group, axes[i - 1], axes[i])) {
            group->extents[rank - 1] *= group->dims[axes[i]];
        }
        else {
            group->extents[rank++] = group->dims[axes[i]];
        }
        for (int k = 0; k < group->operand_count; k++) {
            group->operands[k].strides[rank - 1] = group->operands[k].axes[axes[i]];
        }
    }
    group->rank = rank;
}

int
axes_inner_rank(const Group *group)
{
    int axes[MAX_NDIM], count = ordered_axes(group, axes), rank = 0;
    for (int i = 0; i < count; i++) {
        bool starts = i == 0 || !can_merge(group, axes[i - 1], axes[i]);
        rank += starts && axes_part(group, axes[i]) == INNER;
    }
    return rank;
}

bool
axes_have_rows(const Group *group)
{
    return axes_inner_rank(group) <= 1;
}
