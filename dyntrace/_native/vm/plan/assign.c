/* Planning of the trailing effect: `target[...] = source`, and in-place operators.

   The group that makes the source writes straight into the target if no operand of the group shares
   the target's memory; it saves the old bytes if the flags may forbid the write. Otherwise the
   source is made in memory of the plan, and a last group copies it once the flags allow it.
   Invariant: the target is changed only by a call that succeeds; where the flags forbid a write
   that was made, the undo group restores the target. Read run_plan in vm/run.c for the order of
   events, array/overlap.c for which arrays share memory. */
#include "vm/plan/assign.h"

#include "vm/array/arrays.h"
#include "vm/array/layout.h"
#include "vm/array/overlap.h"
#include "vm/plan/operands.h"

/* Drops leading axes of length one that the target lacks, as PyArray_AssignArray does
   (numpy/_core/src/multiarray/array_assign_array.c); a ufunc, `strict`, does not. MISFIT: the rest
   does not broadcast to the target. */
static Status
fit_source(const Value *target, const Value *source, bool strict, Value *fitted)
{
    value_copy(fitted, source);
    int extra = 0;
    while (!strict && source->ndim - extra > target->ndim && source->dims[extra] == 1) {
        extra++;
    }
    fitted->ndim = source->ndim - extra;
    for (int i = 0; i < fitted->ndim; i++) {
        fitted->dims[i] = source->dims[i + extra];
        fitted->strides[i] = source->strides[i + extra];
    }
    if (fitted->ndim > target->ndim) {
        return MISFIT;
    }
    for (int i = 0; i < fitted->ndim; i++) {
        npy_intp wanted = target->dims[target->ndim - fitted->ndim + i];
        if (fitted->dims[i] != wanted && fitted->dims[i] != 1) {
            return MISFIT;
        }
    }
    return DONE;
}

/* The address of an element of an array in a register. An indexed base counts as if all its indexes
   were zero. */
static char *
address_of(const Planner *planner, short base, npy_intp offset)
{
    short reg = planner->plan->bases[plan_root(planner->plan, base)].reg;
    return PyArray_BYTES((PyArrayObject *)planner->objects[reg]) + offset;
}

/* The addresses that a view covers; those of the whole array where an index chooses the part. */
static Range
range_of(const Planner *planner, short base, npy_intp offset, int ndim, const npy_intp *dims,
         const npy_intp *strides, npy_intp itemsize)
{
    if (planner->plan->bases[base].code == BASE_INDEXED) {
        short reg = planner->plan->bases[base].reg;
        return overlap_range_of((PyArrayObject *)planner->objects[reg]);
    }
    const char *start = address_of(planner, base, offset);
    return overlap_range(start, ndim, dims, strides, itemsize);
}

static PyArrayObject *
array_of(const Planner *planner, short base)
{
    short reg = planner->plan->bases[plan_root(planner->plan, base)].reg;
    return (PyArrayObject *)planner->objects[reg];
}

/* Whether the group reads memory of the target, except where an operation reads the very element
   that it writes. */
static bool
is_disturbed(const Planner *planner, const Group *group, const Value *target, npy_intp itemsize)
{
    const Plan *plan = planner->plan;
    Range written = range_of(planner, target->base, target->offset, target->ndim, target->dims,
                             target->strides, itemsize);
    for (int i = 0; i < group->operand_count; i++) {
        const Operand *operand = &group->operands[i];
        bool memory = operand->code == OPERAND_LINES || operand->code == OPERAND_LANES
                      || operand->code == OPERAND_SCALAR;
        if (!memory || plan->bases[plan_root(plan, operand->base)].code != BASE_OBJECT) {
            continue;
        }
        Range read = range_of(planner, operand->base, operand->offset, group->ndim, group->dims,
                              operand->axes, operand->itemsize);
        bool same = operand->code == OPERAND_LINES
                    && (operand->base == target->base
                        || (plan->bases[operand->base].code == BASE_OBJECT
                            && plan->bases[target->base].code == BASE_OBJECT))
                    && address_of(planner, operand->base, operand->offset)
                           == address_of(planner, target->base, target->offset)
                    && operand->itemsize == itemsize
                    && memcmp(operand->axes, target->strides,
                              (size_t)group->ndim * sizeof *target->strides) == 0;
        if (!same && (ranges_meet(read, written)
                      || overlap_by_mapping(array_of(planner, operand->base),
                                            array_of(planner, target->base)))) {
            return true;
        }
    }
    return false;
}

/* Makes the operand the target itself. */
static void
point_at(Operand *operand, const Value *target)
{
    operand->code = OPERAND_LINES;
    operand->kept = true;
    operand->base = target->base;
    operand->offset = target->offset;
    operand->reg = -1;
    memcpy(operand->axes, target->strides, (size_t)target->ndim * sizeof *operand->axes);
}

/* A group that copies the source into the target, with a cast where the dtypes differ. */
static Status
copy_group(Planner *planner, short target_reg, short source_reg, const Value *fitted, int *made)
{
    Plan *plan = planner->plan;
    const Register *target = &planner->program->registers[target_reg];
    const Value *value = &plan->values[target_reg];
    Value like;
    value_copy(&like, value);
    layout_copy_order(value, target->itemsize, 1, like.strides);
    int number = planner_group(planner, LINEAR, &like);
    if (number < 0) {
        return FAILED;
    }
    Group *group = &plan->groups[number];
    int type = target->descr->type_num, from;
    if (fitted->where == IN_OBJECT || fitted->where == IN_COUNT) {
        from = operand_scalar(planner, group, source_reg, target->descr);
    }
    else {
        from = operand_external(planner, group, source_reg, fitted, false);
    }
    if (from < 0) {
        return FAILED;
    }
    bool raw = group->operands[from].type == type && !planner_is_loose_truth(planner, source_reg);
    PyArrayMethod_StridedLoop *move =
        raw ? loop_copy(target->itemsize) : loop_cast(group->operands[from].type, type);
    int to = group_new(group, OPERAND_LINES, -1, type, target->itemsize);
    if (group_move(group, from, to, move) == NULL) {
        return FAILED;
    }
    point_at(&group->operands[to], value);
    *made = number;
    return DONE;
}

/* Lets the group's last micro-operation write into the target instead of a buffer; false: the
   source is not made last, is read elsewhere, or has bits that depend on strides. */
static bool
redirect(Planner *planner, short target_reg, short source_reg)
{
    Plan *plan = planner->plan;
    Value *source = &plan->values[source_reg], *target = &plan->values[target_reg];
    Group *group = &plan->groups[source->group];
    Operand *operand = &group->operands[source->operand];
    const Micro *last = &group->micros[group->micro_count - 1];
    bool final = operand->last == group->micro_count - 1 && last->code == MICRO_FULL
                 && last->exact == EXACT && last->args[last->count - 1] == source->operand;
    if (!final || planner->left[source_reg] > 1 || planner->exported[source_reg]) {
        return false;
    }
    point_at(operand, target);
    return true;
}

/* Closes every open group except `kept`. */
static Status
close_others(Planner *planner, int kept)
{
    Status status = DONE;
    for (int i = 0; i < planner->open_count && status == DONE;) {
        if (planner->open[i] == kept) {
            i++;
        }
        else {
            status = planner_close(planner, planner->open[i]);
        }
    }
    return status;
}

static bool
can_write_straight(Planner *planner, short target_reg, short source_reg)
{
    const Plan *plan = planner->plan;
    const Value *target = &plan->values[target_reg], *source = &plan->values[source_reg];
    const Register *into = &planner->program->registers[target_reg];
    if (source->where != IN_TILE
        || into->descr->type_num != planner->program->registers[source_reg].descr->type_num
        || !layout_same(source->ndim, source->dims, target->ndim, target->dims)) {
        return false;
    }
    return !is_disturbed(planner, &plan->groups[source->group], target, into->itemsize);
}

/* Whether an input may share memory with the target although their addresses differ, as two
   mappings of one file do. Then the result depends on the order in which NumPy reads and writes. */
static bool
is_mapped_twice(const Planner *planner, const Value *target)
{
    const Segment *segment = planner->segment;
    PyArrayObject *written = array_of(planner, target->base);
    for (int i = 0; i < segment->input_count; i++) {
        PyObject *object = planner->objects[segment->inputs[i]];
        if (object != NULL && PyArray_Check(object)
            && overlap_by_mapping((PyArrayObject *)object, written)) {
            return true;
        }
    }
    return false;
}

/* Whether the source and the target of a plain copy may share memory. */
static bool
copies_itself(const Planner *planner, const Value *target, npy_intp itemsize, const Value *source,
              npy_intp source_itemsize)
{
    const Plan *plan = planner->plan;
    if (source->where != IN_BASE
        || plan->bases[plan_root(plan, source->base)].code != BASE_OBJECT) {
        return false;
    }
    Range written = range_of(planner, target->base, target->offset, target->ndim, target->dims,
                             target->strides, itemsize);
    Range read = range_of(planner, source->base, source->offset, source->ndim, source->dims,
                          source->strides, source_itemsize);
    return ranges_meet(read, written);
}

/* Copies a source that overlaps the target into a block, which the write then reads. */
static Status
copy_aside(Planner *planner, short reg, Value *fitted)
{
    Plan *plan = planner->plan;
    const Register *declared = &planner->program->registers[reg];
    Value like;
    value_copy(&like, fitted);
    layout_copy_order(fitted, declared->itemsize, 1, like.strides);
    int number = planner_group(planner, LINEAR, &like);
    int base = planner_base(plan, BASE_BLOCK, -1, fitted->size * declared->itemsize);
    if (number < 0 || base < 0) {
        return FAILED;
    }
    Group *group = &plan->groups[number];
    int from = operand_external(planner, group, reg, fitted, false);
    int to = group_new(group, OPERAND_TILE, -1, declared->descr->type_num, declared->itemsize);
    if (group_move(group, from, to, loop_copy(declared->itemsize)) == NULL) {
        return FAILED;
    }
    group->operands[to].kept = true;
    group->operands[to].base = (short)base;
    fitted->where = IN_BASE;
    fitted->base = (short)base;
    fitted->offset = 0;
    layout_scale_strides(fitted->ndim, like.strides, 1, declared->itemsize, fitted->strides);
    return planner_close(planner, number);
}

/* Lets the group save each tile of the target before it writes the tile, and plans the undo group,
   which copies the saved bytes back if the flags forbid the write. */
static Status
keep_old(Planner *planner, short target_reg, int number)
{
    Plan *plan = planner->plan;
    const Register *into = &planner->program->registers[target_reg];
    Value saved;
    value_copy(&saved, &plan->values[target_reg]);
    int base = planner_base(plan, BASE_BLOCK, -1, saved.size * into->itemsize), undo;
    Group *group = &plan->groups[number];
    int from = operand_external(planner, group, target_reg, &plan->values[target_reg], false);
    int to = group_new(group, OPERAND_TILE, -1, into->descr->type_num, into->itemsize);
    if (base < 0 || group_move(group, from, to, loop_copy(into->itemsize)) == NULL) {
        return FAILED;
    }
    group->operands[to].kept = true;
    group->operands[to].base = (short)base;
    Micro last = group->micros[group->micro_count - 1];
    group->micros[group->micro_count - 1] = group->micros[group->micro_count - 2];
    group->micros[group->micro_count - 2] = last;
    saved.base = (short)base;
    saved.offset = 0;
    layout_scale_strides(saved.ndim, group->order, 1, into->itemsize, saved.strides);
    Status status = planner_close(planner, number);
    if (status == DONE) {
        status = copy_group(planner, target_reg, target_reg, &saved, &undo);
    }
    if (status == DONE) {
        status = planner_close(planner, undo);
        plan->sequence_count--;
        plan->undo_group = (short)undo;
    }
    return status;
}

/* Plans the copy of the source into the target as the last group. */
static Status
move_into(Planner *planner, short target_reg, short source_reg, bool strict)
{
    Plan *plan = planner->plan;
    const Register *into = &planner->program->registers[target_reg];
    npy_intp source_itemsize = planner->program->registers[source_reg].itemsize;
    Value fitted;
    value_copy(&fitted, &plan->values[source_reg]);
    int number;
    Status status = fitted.where == IN_OBJECT || fitted.where == IN_COUNT
                        ? DONE
                        : fit_source(&plan->values[target_reg], &plan->values[source_reg], strict,
                                     &fitted);
    const Value *target = &plan->values[target_reg];
    if (status == DONE
        && copies_itself(planner, target, into->itemsize, &fitted, source_itemsize)) {
        if (overlap_read_while_written(target->ndim, target->strides, fitted.ndim,
                                       fitted.strides)) {
            return REPLAY;
        }
        status = copy_aside(planner, source_reg, &fitted);
    }
    if (status == DONE) {
        status = copy_group(planner, target_reg, source_reg, &fitted, &number);
    }
    if (status != DONE) {
        return status;
    }
    status = planner_close(planner, number);
    plan->sequence_count--; /* last_group runs after the flags are checked */
    plan->last_group = (short)number;
    return status;
}

Status
assign_plan(Planner *planner, const Instr *instr)
{
    Plan *plan = planner->plan;
    short target_reg = instr->in[0], source_reg = instr->in[1];
    const Value *target = &plan->values[target_reg];
    const Register *into = &planner->program->registers[target_reg];
    if (target->where != IN_BASE
        || plan->bases[plan_root(plan, target->base)].code != BASE_OBJECT
        || overlap_within(target->ndim, target->dims, target->strides, into->itemsize)) {
        return UNPLANNED;
    }
    short reg = plan->bases[plan_root(plan, target->base)].reg;
    if (!array_is_writeable((PyArrayObject *)planner->objects[reg])) {
        return MISFIT;
    }
    bool computed = plan->values[source_reg].where == IN_TILE && !instr->strict;
    if (!computed && is_mapped_twice(planner, target)) {
        return REPLAY;
    }
    int kept = plan->values[source_reg].where == IN_TILE ? plan->values[source_reg].group : -1;
    Status status = close_others(planner, kept);
    if (status != DONE) {
        return status;
    }
    if (kept >= 0 && can_write_straight(planner, target_reg, source_reg)
        && redirect(planner, target_reg, source_reg)) {
        plan->values[source_reg].where = NOWHERE;
        return planner->segment->flags ? keep_old(planner, target_reg, kept)
                                       : planner_close(planner, kept);
    }
    status = planner_flush(planner);
    return status == DONE ? move_into(planner, target_reg, source_reg, instr->strict) : status;
}
