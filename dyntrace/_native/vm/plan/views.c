/* Planning of views: subscripts of ints, slices, None and Ellipsis; permuted axes; reshapes.

   A view computes an offset, dims and strides from those of a value in memory. A reshape that NumPy
   does by a copy is a view of a copy. An index out of range is a MISFIT: the original instruction
   runs and raises.
   Invariant: a view reads no element. Read array/layout.c for the strides of a reshape. */
#include "vm/plan/views.h"

#include "vm/array/layout.h"
#include "vm/plan/operands.h"

/* The value of a bound, clipped to npy_intp; the caller checks an index against its axis. */
static bool
bound_value(const Planner *planner, const Bound *bound, npy_intp *value)
{
    if (bound->reg == CONSTANT) {
        *value = bound->value;
        return true;
    }
    *value = PyNumber_AsSsize_t(planner->objects[bound->reg], NULL);
    if (*value == -1 && PyErr_Occurred()) {
        PyErr_Clear();
        return false;
    }
    return true;
}

/* One axis of the view. An empty slice starts at 0 with a step of 1, as in get_view_from_index
   (numpy/_core/src/multiarray/mapping.c). */
static Status
take_slice(const Planner *planner, const Item *item, npy_intp length, npy_intp stride, Value *view,
           npy_intp *offset)
{
    npy_intp start, stop, step = 1;
    const Bound *parts = item->parts;
    if (parts[2].reg != ABSENT && (!bound_value(planner, &parts[2], &step) || step == 0)) {
        return MISFIT;
    }
    step = step < -NPY_MAX_INTP ? -NPY_MAX_INTP : step;
    start = step < 0 ? NPY_MAX_INTP : 0;
    stop = step < 0 ? NPY_MIN_INTP : NPY_MAX_INTP;
    if ((parts[0].reg != ABSENT && !bound_value(planner, &parts[0], &start))
        || (parts[1].reg != ABSENT && !bound_value(planner, &parts[1], &stop))) {
        return MISFIT;
    }
    npy_intp count = PySlice_AdjustIndices(length, &start, &stop, step);
    if (count <= 0) {
        count = 0, start = 0, step = 1;
    }
    *offset += start * stride;
    view->dims[view->ndim] = count;
    view->strides[view->ndim++] = layout_scaled(stride, step);
    return DONE;
}

static Status
take_int(const Planner *planner, const Item *item, npy_intp length, npy_intp stride,
         npy_intp *offset)
{
    npy_intp index;
    if (!bound_value(planner, &item->parts[0], &index) || index < -length || index >= length) {
        return MISFIT;
    }
    *offset += (index < 0 ? index + length : index) * stride;
    return DONE;
}

static void
take_whole(const Value *source, int axis, Value *view)
{
    view->dims[view->ndim] = source->dims[axis];
    view->strides[view->ndim++] = source->strides[axis];
}

/* The indexes in registers, which each call reads. Without a list for them, planning reads them. */
typedef struct {
    int count;
    Index indexes[MAX_INDEXES];
} Indexes;

static Status
take_index(const Planner *planner, const Item *item, const Value *source, int axis,
           npy_intp *offset, Indexes *indexes)
{
    bool moves = item->parts[0].reg >= 0 && indexes != NULL && indexes->count < MAX_INDEXES;
    if (!moves) {
        return take_int(planner, item, source->dims[axis], source->strides[axis], offset);
    }
    indexes->indexes[indexes->count++] =
        (Index){item->parts[0].reg, source->dims[axis], source->strides[axis]};
    return DONE;
}

static Status
subscript(const Planner *planner, const Instr *instr, const Value *source, Value *view,
          Indexes *indexes)
{
    int axis = 0, taken = 0;
    npy_intp offset = 0;
    Status status = DONE;
    for (int i = 0; i < instr->item_count; i++) {
        taken += instr->items[i].code == ITEM_INT || instr->items[i].code == ITEM_SLICE;
    }
    if (taken > source->ndim) {
        return MISFIT;
    }
    for (int i = 0; i < instr->item_count && status == DONE; i++) {
        const Item *item = &instr->items[i];
        int fill = item->code == ITEM_ELLIPSIS ? source->ndim - taken : 0;
        bool adds = item->code == ITEM_NEWAXIS || item->code == ITEM_SLICE;
        if (view->ndim + fill + adds > MAX_NDIM) {
            return UNPLANNED;
        }
        switch (item->code) {
        case ITEM_NEWAXIS:
            view->dims[view->ndim] = 1;
            view->strides[view->ndim++] = 0;
            break;
        case ITEM_ELLIPSIS:
            while (fill-- > 0) {
                take_whole(source, axis++, view);
            }
            break;
        case ITEM_INT:
            status = take_index(planner, item, source, axis, &offset, indexes);
            axis++;
            break;
        case ITEM_SLICE:
            status = take_slice(planner, item, source->dims[axis], source->strides[axis], view,
                                &offset);
            axis++;
            break;
        }
    }
    if (view->ndim + source->ndim - axis > MAX_NDIM) {
        return UNPLANNED;
    }
    while (axis < source->ndim) {
        take_whole(source, axis++, view);
    }
    view->offset = source->offset + offset;
    return status;
}

/* Whether the subscript only adds axes, as `x[:, None]` does. A result with one element for each
   row then stays such a result. */
static bool
only_adds_axes(const Instr *instr)
{
    for (int i = 0; i < instr->item_count; i++) {
        const Item *item = &instr->items[i];
        bool whole = item->code == ITEM_SLICE && item->parts[0].reg == ABSENT
                     && item->parts[1].reg == ABSENT && item->parts[2].reg == ABSENT;
        if (!whole && item->code != ITEM_NEWAXIS && item->code != ITEM_ELLIPSIS) {
            return false;
        }
    }
    return instr->code == VIEW;
}

static Status
permute(const Instr *instr, const Value *source, Value *view)
{
    if (instr->item_count != 0 && instr->item_count != source->ndim) {
        return UNPLANNED;
    }
    view->ndim = source->ndim;
    for (int i = 0; i < source->ndim; i++) {
        npy_intp axis = instr->item_count ? instr->items[i].parts[0].value : source->ndim - 1 - i;
        view->dims[i] = source->dims[axis];
        view->strides[i] = source->strides[axis];
    }
    view->offset = source->offset;
    return DONE;
}

/* The dims of a reshape. `left` is the axis given as -1, whose length follows from the others; -1
   if there is none. */
static Status
take_lengths(const Planner *planner, const Instr *instr, const Value *source, Value *view,
             int *left)
{
    npy_intp known = 1;
    int open = -1;
    for (int i = 0; i < instr->item_count; i++) {
        npy_intp length;
        if (!bound_value(planner, &instr->items[i].parts[0], &length)
            || (length < 0 && (length != -1 || open >= 0))) {
            return MISFIT;
        }
        open = length < 0 ? i : open;
        view->dims[i] = length;
        if (length >= 0 && __builtin_mul_overflow(known, length, &known)) {
            return MISFIT;
        }
    }
    view->ndim = instr->item_count;
    if (open >= 0) {
        view->dims[open] = known > 0 ? source->size / known : 0;
        known = known > 0 ? known * view->dims[open] : -1;
    }
    *left = open;
    return known == source->size ? DONE : MISFIT;
}

/* UNPLANNED: no strides give the source that shape, so NumPy copies it. */
static Status
reshape(const Planner *planner, const Instr *instr, const Value *source, Value *view)
{
    npy_intp itemsize = planner->program->registers[instr->in[0]].itemsize;
    int left;
    Status status = take_lengths(planner, instr, source, view, &left);
    if (status != DONE) {
        return status;
    }
    view->offset = source->offset;
    if (left < 0 && layout_same(source->ndim, source->dims, view->ndim, view->dims)) {
        memcpy(view->strides, source->strides, sizeof view->strides);
        return DONE; /* shape.c compares no strides then, and returns a view */
    }
    bool fits = layout_reshape(source, itemsize, view->ndim, view->dims, view->strides);
    return fits ? DONE : UNPLANNED;
}

/* Copies the source into a block, dense in index order. */
static Status
copy_in_order(Planner *planner, const Instr *instr)
{
    Plan *plan = planner->plan;
    const Value *source = &plan->values[instr->in[0]];
    const Register *declared = &planner->program->registers[instr->out[1]];
    Value *copy = &plan->values[instr->out[1]], like = *source;
    layout_dense_strides(like.ndim, like.dims, 1, like.strides);
    int number = planner_group(planner, LINEAR, &like);
    int base = planner_base(plan, BASE_BLOCK, instr->out[1], like.size * declared->itemsize);
    if (number < 0 || base < 0) {
        return FAILED;
    }
    Group *group = &plan->groups[number];
    int from = operand_external(planner, group, instr->in[0], source, false);
    int to = group_new(group, OPERAND_TILE, -1, declared->descr->type_num, declared->itemsize);
    if (group_move(group, from, to, loop_copy(declared->itemsize)) == NULL) {
        return FAILED;
    }
    group->operands[to].kept = true;
    group->operands[to].base = (short)base;
    *copy = (Value){.ndim = like.ndim, .size = like.size, .where = IN_BASE, .owns = true,
                    .base = (short)base, .group = -1};
    memcpy(copy->dims, like.dims, sizeof copy->dims);
    layout_dense_strides(copy->ndim, copy->dims, declared->itemsize, copy->strides);
    return planner_close(planner, number);
}

/* A view of the source, or of a copy where no view has that shape, as PyArray_Newshape does it
   (numpy/_core/src/multiarray/shape.c). */
static Status
plan_reshape(Planner *planner, const Instr *instr, Value *view)
{
    Plan *plan = planner->plan;
    Status status = reshape(planner, instr, &plan->values[instr->in[0]], view);
    if (status != UNPLANNED) {
        return status;
    }
    status = copy_in_order(planner, instr);
    view->base = plan->values[instr->out[1]].base;
    return status == DONE ? reshape(planner, instr, &plan->values[instr->out[1]], view) : status;
}

/* The base for these indexes on this memory, which equal subscripts share; -1: out of memory. */
static int
indexed_base(Plan *plan, short parent, const Indexes *indexes)
{
    size_t size = (size_t)indexes->count * sizeof *indexes->indexes;
    for (int i = 0; i < plan->base_count; i++) {
        const Base *known = &plan->bases[i];
        if (known->code == BASE_INDEXED && known->parent == parent
            && known->index_count == indexes->count
            && memcmp(known->indexes, indexes->indexes, size) == 0) {
            return i;
        }
    }
    short root = plan_root(plan, parent);
    int made = planner_base(plan, BASE_INDEXED, plan->bases[root].reg, 0);
    if (made >= 0) {
        Base *base = &plan->bases[made];
        base->parent = parent;
        base->index_count = (uint8_t)indexes->count;
        memcpy(base->indexes, indexes->indexes, size);
    }
    return made;
}

static Status
plan_subscript(Planner *planner, const Instr *instr, const Value *source, Value *view)
{
    Indexes indexes = {0};
    memset(indexes.indexes, 0, sizeof indexes.indexes);
    Status status = subscript(planner, instr, source, view, &indexes);
    if (status != DONE || indexes.count == 0) {
        return status;
    }
    int base = indexed_base(planner->plan, source->base, &indexes);
    view->base = (short)base;
    return base < 0 ? FAILED : DONE;
}

/* The view at once, from the values of its indexes: segments of views alone have no bases. */
static Status
make_view(const Planner *planner, const Instr *instr, const Value *source, Value *view)
{
    switch (instr->code) {
    case PERMUTE:
        return permute(instr, source, view);
    case RESHAPE:
        return reshape(planner, instr, source, view);
    case VIEW:
        return subscript(planner, instr, source, view, NULL);
    case ELEMENTWISE:
    case COUNT:
    case REDUCE:
    case ASSIGN:
        break;
    }
    return UNPLANNED;
}

/* The view for a plan: each call moves a base by the indexes. */
static Status
plan_as(Planner *planner, const Instr *instr, const Value *source, Value *view)
{
    switch (instr->code) {
    case PERMUTE:
        return permute(instr, source, view);
    case RESHAPE:
        return plan_reshape(planner, instr, view);
    case VIEW:
        return plan_subscript(planner, instr, source, view);
    case ELEMENTWISE:
    case COUNT:
    case REDUCE:
    case ASSIGN:
        break;
    }
    return UNPLANNED;
}

Status
views_plan(Planner *planner, const Instr *instr)
{
    Value *source = &planner->plan->values[instr->in[0]];
    bool on_rows = source->where == IN_ROW && only_adds_axes(instr);
    Status status = on_rows ? DONE : planner_materialise(planner, instr->in[0]);
    if (status != DONE) {
        return status;
    }
    if (source->where != IN_BASE && !on_rows) {
        return UNPLANNED;
    }
    Value view;
    value_clear(&view);
    view.where = source->where;
    view.base = source->base;
    view.group = source->group;
    view.operand = source->operand;
    status = plan_as(planner, instr, source, &view);
    view.size = status == DONE ? layout_size(view.ndim, view.dims) : 0;
    planner->plan->aliases |= on_rows;
    value_copy(&planner->plan->values[instr->out[0]], &view);
    return status;
}

/* Runs a segment of views alone. It needs no plan: each view is made from the array before it. */
Status
views_run(const Program *program, const Segment *segment, PyObject **objects)
{
    Planner planner = {.program = program, .segment = segment, .objects = objects};
    for (int i = 0; i < segment->instr_count; i++) {
        const Instr *instr = &segment->instrs[i];
        PyArrayObject *owner = (PyArrayObject *)objects[instr->in[0]];
        short reg = instr->out[0];
        Value source, view;
        if (PyArray_NDIM(owner) > MAX_NDIM) {
            return UNPLANNED;
        }
        value_clear(&view);
        value_load(owner, &source);
        Status status = make_view(&planner, instr, &source, &view);
        bool copies = status == UNPLANNED && instr->code == RESHAPE;
        if (status != DONE && !copies) {
            return status;
        }
        if (program->registers[reg].ndim < 0 && view.ndim > 0) {
            return UNPLANNED;
        }
        char *address = PyArray_BYTES(owner) + view.offset;
        PyArray_Dims lengths = {view.dims, view.ndim};
        PyObject *made = copies ? PyArray_Newshape(owner, &lengths, NPY_CORDER)
                         : program->registers[reg].ndim < 0
                             ? PyArray_Scalar(address, PyArray_DESCR(owner), (PyObject *)owner)
                             : value_view(owner, &view, address);
        if (made == NULL) {
            PyErr_Clear();
            return REPLAY;
        }
        Py_XSETREF(objects[reg], made);
    }
    return DONE;
}
