/* Combining the partial results of a reduction.

   The partial results of a pairwise sum are added along the tree of NumPy's recursion (pairwise.h).
   Those of independent parts are combined from left to right.
   Invariant: the result has the bits of NumPy's single loop. Read cut.c for how parts are made. */
#include "vm/group/combine.h"

#include "vm/group/pairwise.h"

static void
add_two(const Micro *micro, char *one, char *other, npy_intp itemsize)
{
    char *data[3] = {one, other, one};
    npy_intp strides[3] = {itemsize, itemsize, itemsize}, count = 1;
    micro->function(micro->context, data, &count, strides, micro->auxdata);
}

/* Adds the partial results of the subtree of `length` elements that begins at `leaf` into the first
   of them. Returns the leaf after the subtree. */
static npy_intp
climb(const Group *group, const Micro *micro, char *partials, npy_intp itemsize, npy_intp leaf,
      npy_intp length)
{
    if (length == group->starts[leaf + 1] - group->starts[leaf]) {
        return leaf + 1;
    }
    npy_intp half = pairwise_half(length, group->unit);
    npy_intp next = climb(group, micro, partials, itemsize, leaf, half);
    npy_intp end = climb(group, micro, partials, itemsize, next, length - half);
    add_two(micro, partials + leaf * itemsize, partials + next * itemsize, itemsize);
    return end;
}

/* Whether a minimum or maximum is neither zero nor NaN. Then its bits do not depend on the order of
   comparisons, which the sign of a zero and the payload of a NaN do. */
bool
combine_is_robust(const char *total, int type)
{
    switch (type) {
    case NPY_FLOAT:
        return *(const npy_float *)total < 0 || *(const npy_float *)total > 0;
    case NPY_DOUBLE:
        return *(const npy_double *)total < 0 || *(const npy_double *)total > 0;
    default:
        return false;
    }
}

/* Reduces the source from memory in one call of the loop, as NumPy does. */
static void
reduce_again(const Group *group, const Micro *micro, char *const *bases, char *total,
             npy_intp itemsize)
{
    const Operand *from = &group->operands[micro->args[0]];
    char *source = bases[from->base] + from->offset;
    npy_intp stride = from->code == OPERAND_FLAT ? from->itemsize : from->strides[0];
    npy_intp count = group->size - 1;
    memcpy(total, source, (size_t)itemsize);
    char *data[3] = {total, source + stride, total};
    npy_intp strides[3] = {0, stride, 0};
    micro->function(micro->context, data, &count, strides, micro->auxdata);
}

/* The one reduction of the group. Copies of large results may follow it (stream_results). */
static const Micro *
reduction_of(const Group *group)
{
    const Micro *micro = &group->micros[group->micro_count - 1];
    while (micro->code != MICRO_REDUCE) {
        micro--;
    }
    return micro;
}

void
combine_parts(const Group *group, char *const *bases)
{
    if (group->mode != TREE && group->mode != PARTS) {
        return;
    }
    const Micro *micro = reduction_of(group);
    const Operand *to = &group->operands[micro->args[1]];
    char *partials = bases[group->partials], *total = bases[to->base] + to->offset;
    npy_intp part = 0;
    if (group->mode == TREE) {
        climb(group, micro, partials, to->itemsize, 0, group->size);
    }
    if (micro->instr->has_identity) {
        memcpy(total, micro->instr->identity, (size_t)to->itemsize);
    }
    else {
        memcpy(total, partials, (size_t)to->itemsize);
        part = 1;
    }
    npy_intp parts = group->mode == TREE ? 1 : group->parts;
    for (; part < parts; part++) {
        add_two(micro, total, partials + part * to->itemsize, to->itemsize);
    }
    if (micro->instr->split == SPLIT_FRAGILE && !combine_is_robust(total, to->type)) {
        reduce_again(group, micro, bases, total, to->itemsize);
    }
}
