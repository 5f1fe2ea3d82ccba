/* Planning views: subscripts of ints, slices, None and Ellipsis; permuted axes; reshapes.

   Invariant: a view is arithmetic on a value in memory; what would be a copy in NumPy is not planned
   here. An index out of range declines the call: the original instruction raises. */
#include "vm.h"

/* The int a bound stands for; the range of an index is checked by who uses it. */
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
    view->strides[view->ndim++] = scaled(stride, step);
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

/* The indexes that change from call to call; without a list for them they are read at once. */
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
            return TO_TWIN;
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
        default:
            status = take_slice(planner, item, source->dims[axis], source->strides[axis], view,
                                &offset);
            axis++;
        }
    }
    if (view->ndim + source->ndim - axis > MAX_NDIM) {
        return TO_TWIN;
    }
    while (axis < source->ndim) {
        take_whole(source, axis++, view);
    }
    view->offset = source->offset + offset;
    return status;
}

/* Whether the items leave every element where it is, so that a result of rows stays one. */
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
        return TO_TWIN;
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

static Status
reshape(const Planner *planner, const Instr *instr, const Value *source, Value *view)
{
    npy_intp itemsize = planner->program->registers[instr->in[0]].itemsize, known = 1;
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
    if (known != source->size) {
        return MISFIT;
    }
    if (!is_dense_in_order(source->ndim, source->dims, source->strides, itemsize)) {
        return TO_TWIN;
    }
    dense_strides(view->ndim, view->dims, itemsize, view->strides);
    view->offset = source->offset;
    return DONE;
}

/* A base for the same indexes on the same memory, made once. */
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
    int made = plan_base(plan, BASE_INDEXED, plan->bases[root].reg, 0);
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

static Status
make_view(const Planner *planner, const Instr *instr, const Value *source, Value *view)
{
    switch (instr->code) {
    case PERMUTE:
        return permute(instr, source, view);
    case RESHAPE:
        return reshape(planner, instr, source, view);
    default:
        return subscript(planner, instr, source, view, NULL);
    }
}

Status
plan_view(Planner *planner, const Instr *instr)
{
    Value *source = &planner->plan->values[instr->in[0]];
    bool on_rows = source->where == IN_ROW && only_adds_axes(instr);
    Status status = on_rows ? DONE : plan_settle(planner, instr->in[0]);
    if (status != DONE) {
        return status;
    }
    if (source->where != IN_BASE && !on_rows) {
        return TO_TWIN;
    }
    Value view = {.where = source->where, .base = source->base, .group = source->group,
                  .operand = source->operand};
    status = instr->code == VIEW ? plan_subscript(planner, instr, source, &view)
                                 : make_view(planner, instr, source, &view);
    view.size = status == DONE ? dims_size(view.ndim, view.dims) : 0;
    planner->plan->aliases |= on_rows;
    planner->plan->values[instr->out[0]] = view;
    return status;
}

/* Segments of nothing but views ------------------------------------------------------------- */
PyObject *
view_of(PyArrayObject *owner, const Value *value, char *address)
{
    PyArray_Descr *descr = PyArray_DESCR(owner);
    Py_INCREF(descr);
    int flags = PyArray_FLAGS(owner) & (NPY_ARRAY_WRITEABLE | NPY_ARRAY_ALIGNED);
    PyObject *view = PyArray_NewFromDescr(&PyArray_Type, descr, value->ndim, value->dims,
                                          value->strides, address, flags, NULL);
    if (view == NULL) {
        return NULL;
    }
    Py_INCREF(owner);
    if (PyArray_SetBaseObject((PyArrayObject *)view, (PyObject *)owner) < 0) {
        Py_CLEAR(view);
    }
    return view;
}

/* Views need no plan: each is made from the object before it. */
Status
views_run(const Program *program, const Segment *segment, PyObject **objects)
{
    Planner planner = {.program = program, .segment = segment, .objects = objects};
    for (int i = 0; i < segment->instr_count; i++) {
        const Instr *instr = &segment->instrs[i];
        PyArrayObject *owner = (PyArrayObject *)objects[instr->in[0]];
        short reg = instr->out[0];
        Value source, view = {.ndim = 0};
        if (PyArray_NDIM(owner) > MAX_NDIM) {
            return TO_TWIN;
        }
        load_value(owner, &source);
        Status status = make_view(&planner, instr, &source, &view);
        if (status != DONE) {
            return status;
        }
        if (program->registers[reg].ndim < 0 && view.ndim > 0) {
            return TO_TWIN;
        }
        char *address = PyArray_BYTES(owner) + view.offset;
        PyObject *made = program->registers[reg].ndim < 0
                             ? PyArray_Scalar(address, PyArray_DESCR(owner), (PyObject *)owner)
                             : view_of(owner, &view, address);
        if (made == NULL) {
            PyErr_Clear();
            return REPLAY;
        }
        Py_XSETREF(objects[reg], made);
    }
    return DONE;
}
