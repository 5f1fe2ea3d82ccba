/* Planning elementwise instructions: the shape and layout of a result, and the group that makes it.

   An instruction joins an open group of its shape and memory order, if it can: the whole of it, or
   only its rows. Invariant: the layout of a result is the one NumPy would give it, its iterator's or
   that of a large temporary whose memory eager takes. */
#include "vm/plan/elementwise.h"

#include "vm/array/layout.h"
#include "vm/plan/operands.h"

typedef struct {
    Value result;       /* its shape, and strides for items of one byte */
    const Value *arrays[MAX_ARGS];
    npy_intp itemsizes[MAX_ARGS];
    int array_count;
    bool swapped;       /* eager takes the second operand first */
} Shape;

static Status
shape_of(Planner *planner, const Instr *instr, Shape *shape)
{
    Value *result = &shape->result;
    bool simply = instr->loop->capsule != NULL; /* not `where` */
    value_clear(result);
    shape->array_count = 0;
    shape->swapped = false;
    for (int i = 0; i < instr->nin; i++) {
        const Value *value = &planner->plan->values[instr->in[i]];
        const Register *declared = &planner->program->registers[instr->in[i]];
        if (value->where == IN_OBJECT || value->where == IN_COUNT) {
            continue;
        }
        if (!layout_broadcast(&result->ndim, result->dims, value->ndim, value->dims)) {
            return MISFIT;
        }
        if (value->ndim > 0) {
            simply &= declared->descr->type_num == instr->loop->descr[i]->type_num;
            shape->itemsizes[shape->array_count] = declared->itemsize;
            shape->arrays[shape->array_count++] = value;
        }
    }
    result->size = layout_size(result->ndim, result->dims);
    if (result->size < 0) {
        return REPLAY;
    }
    if (instr->copies && shape->array_count == 1) {
        layout_copy_order(shape->arrays[0], shape->itemsizes[0], 1, result->strides);
    }
    else {
        layout_keep_order(result->ndim, result->dims, shape->array_count, shape->arrays, shape->itemsizes,
                          simply, result->strides);
    }
    return DONE;
}

enum { SMALLEST_REUSED = 256 * 1024 };

static bool
can_reuse(const Planner *planner, const Instr *instr, const Shape *shape, int place)
{
    const Value *value = &planner->plan->values[instr->in[place]];
    const Register *declared = &planner->program->registers[instr->in[place]];
    return value->where != IN_OBJECT && value->owns
           && value->size * declared->itemsize >= SMALLEST_REUSED
           && layout_same(value->ndim, value->dims, shape->result.ndim, shape->result.dims)
           && value->ndim > 0;
}

/* Eager NumPy computes into the memory of a large temporary, whose layout the result then has; and
   into the target of an in-place operator always. */
static Status
reuse_temporary(const Planner *planner, const Instr *instr, Shape *shape)
{
    if (instr->inplace) {
        const Value *value = &planner->plan->values[instr->in[0]];
        npy_intp itemsize = planner->program->registers[instr->in[0]].itemsize;
        layout_scale_strides(value->ndim, value->strides, itemsize, 1, shape->result.strides);
        bool fits = layout_same(value->ndim, value->dims, shape->result.ndim, shape->result.dims);
        return !fits ? MISFIT : value->owns ? DONE : UNPLANNED;
    }
    for (int place = 0; place < 2 && place < instr->nin; place++) {
        if (!instr->reuses[place] || !can_reuse(planner, instr, shape, place)) {
            continue;
        }
        const Value *value = &planner->plan->values[instr->in[place]];
        npy_intp itemsize = planner->program->registers[instr->in[place]].itemsize;
        if (!instr->outside[place]) {
            shape->swapped = place == 1;
            layout_scale_strides(value->ndim, value->strides, itemsize, 1, shape->result.strides);
            return DONE;
        }
        const Value *other = &planner->plan->values[instr->in[instr->nin > 1 ? 1 - place : place]];
        if (other->where != IN_OBJECT && other->ndim > 0
            && !layout_same(other->ndim, other->strides, value->ndim, value->strides)) {
            return REPLAY; /* it depends on who else holds the temporary */
        }
        return DONE;
    }
    return DONE;
}

/* The shape of a group's rows: its outer axes, those of length one left out. */
static int
outer_dims(const Group *group, npy_intp *dims)
{
    int count = 0;
    for (int i = 0; i < group->ndim - group->inner; i++) {
        if (group->dims[i] != 1) {
            dims[count++] = group->dims[i];
        }
    }
    return count;
}

/* Whether `value` has one element for each row of the group, in the same order. */
static bool
is_row_shaped(const Group *group, const Value *value)
{
    npy_intp mine[MAX_NDIM], its[MAX_NDIM];
    int count = 0;
    for (int i = 0; i < value->ndim; i++) {
        if (value->dims[i] != 1) {
            its[count++] = value->dims[i];
        }
    }
    return layout_same(outer_dims(group, mine), mine, count, its);
}

/* Whether each element of the row value belongs to one whole row of the full shape. */
static bool
spans_rows(const Group *group, const Value *value)
{
    int shift = group->ndim - value->ndim;
    if (shift < 0) {
        return false;
    }
    for (int i = 0; i < group->ndim; i++) {
        npy_intp length = i < shift ? 1 : value->dims[i - shift];
        bool inner = i >= group->ndim - group->inner;
        if (inner ? length != 1 : length != group->dims[i]) {
            return false;
        }
    }
    return true;
}

enum { MOST_OPERANDS = 2048 }; /* of a group; what it costs to close one grows with their square */

/* Whether an instruction of this result may work on the rows of the group alone. */
static bool
can_join_rows(const Planner *planner, const Instr *instr, const Group *group, int number,
              const Value *result)
{
    if (group->mode != ROWS || !group->open || !is_row_shaped(group, result)
        || group->operand_count > MOST_OPERANDS) {
        return false;
    }
    for (int i = 0; i < instr->nin; i++) {
        const Value *value = &planner->plan->values[instr->in[i]];
        bool single = value->where == IN_OBJECT || value->where == IN_COUNT
                      || (value->where == IN_BASE && value->size == 1 && value->group < 0);
        bool row = value->where == IN_ROW && value->group == number
                   && is_row_shaped(group, value);
        bool lane = value->where == IN_BASE && value->group < 0 && is_row_shaped(group, value);
        if (!single && !row && !lane) {
            return false;
        }
    }
    return true;
}

static bool
can_join(const Planner *planner, const Instr *instr, int number, const Value *result)
{
    const Group *group = &planner->plan->groups[number];
    if (!planner_fits(group, result) || group->operand_count > MOST_OPERANDS) {
        return false;
    }
    for (int i = 0; i < instr->nin; i++) {
        const Value *value = &planner->plan->values[instr->in[i]];
        if (value->where == IN_ROW && value->group == number && !spans_rows(group, value)) {
            return false;
        }
        if (value->where == IN_BASE && value->group == number) {
            return false; /* what the group reduces is there when it has run */
        }
    }
    return true;
}

/* The group to join, preferring one that makes an operand; -1: a new one; -2: out of memory.
   `rows` says whether to join its rows only. */
static int
choose_group(Planner *planner, const Instr *instr, const Value *result, bool *rows)
{
    int found = -1;
    *rows = false;
    for (int i = planner->open_count - 1; i >= 0; i--) {
        int number = planner->open[i];
        bool makes = false;
        for (int k = 0; k < instr->nin; k++) {
            makes |= planner->plan->values[instr->in[k]].group == number;
        }
        bool on_rows = makes
                       && can_join_rows(planner, instr, &planner->plan->groups[number], number, result);
        if (!on_rows && !can_join(planner, instr, number, result)) {
            continue;
        }
        if (makes || found < 0) {
            found = number;
            *rows = on_rows;
        }
        if (makes) {
            break;
        }
    }
    return found;
}

/* Everything that the instruction reads and that another group makes must be in memory first. */
static Status
materialise_others(Planner *planner, const Instr *instr, int group)
{
    for (int i = 0; i < instr->nin; i++) {
        const Value *value = &planner->plan->values[instr->in[i]];
        if (value->group >= 0 && value->group != group) {
            Status status = planner_materialise(planner, instr->in[i]);
            if (status != DONE) {
                return status;
            }
        }
    }
    return DONE;
}

/* The group's operand for input `place` of the instruction, of the loop's type; -1. */
static int
operand_for(Planner *planner, int number, const Instr *instr, int place, bool rows)
{
    short reg = instr->in[place];
    const Value *value = &planner->plan->values[reg];
    Group *group = &planner->plan->groups[number];
    const PyArray_Descr *wanted = instr->loop->descr[place];
    int operand;
    if (value->where == IN_OBJECT || value->where == IN_COUNT) {
        return operand_scalar(planner, group, reg, wanted);
    }
    if (value->where == IN_BASE) {
        operand = operand_external(planner, group, reg, value, rows);
    }
    else {
        operand = value->operand;
    }
    if (operand < 0 || (group->operands[operand].type == wanted->type_num
                        && !planner_is_loose_truth(planner, reg))) {
        return operand;
    }
    return group_cast(group, operand, wanted->type_num);
}

/* Results become what their registers are declared to be. */
static int
result_for(Planner *planner, int number, const Instr *instr, int place, int made, Value *result)
{
    short reg = instr->out[place];
    const Register *declared = &planner->program->registers[reg];
    Group *group = &planner->plan->groups[number];
    bool row = group->operands[made].code == OPERAND_ROW;
    int operand = made;
    if (group->operands[made].type != declared->descr->type_num) {
        operand = group_cast(group, made, declared->descr->type_num);
        if (operand < 0) {
            return -1;
        }
        group->operands[made].reg = -1;
        group->operands[operand].reg = reg;
    }
    Value *value = &planner->plan->values[reg];
    value_copy(value, result);
    layout_scale_strides(result->ndim, result->strides, 1, declared->itemsize, value->strides);
    value->where = row ? IN_ROW : IN_TILE;
    value->owns = true;
    value->group = (short)number;
    value->operand = (short)operand;
    return 0;
}

static Status
add_micro(Planner *planner, int number, const Instr *instr, bool rows, Shape *shape)
{
    int args[MAX_ARGS], count = 0;
    for (int i = 0; i < instr->nin; i++) {
        int operand = operand_for(planner, number, instr, i, rows);
        if (operand < 0) {
            return FAILED;
        }
        args[count++] = operand;
    }
    if (shape->swapped) {
        int first = args[0];
        args[0] = args[1];
        args[1] = first;
    }
    Group *group = &planner->plan->groups[number];
    for (int i = 0; i < instr->nout; i++) {
        const PyArray_Descr *descr = instr->loop->descr[instr->nin + i];
        int operand = group_new(group, rows ? OPERAND_ROW : OPERAND_TILE, instr->out[i],
                                descr->type_num, PyDataType_ELSIZE(descr));
        if (operand < 0) {
            return FAILED;
        }
        args[count++] = operand;
    }
    Micro *micro = group_micro(group, rows ? MICRO_ROW : MICRO_FULL);
    if (micro == NULL) {
        return FAILED;
    }
    const Loop *loop = instr->loop;
    micro->count = (uint8_t)count;
    micro->function = loop->function;
    micro->context = loop->context;
    micro->auxdata = loop->auxdata;
    micro->exact = loop->exact;
    micro->clears = loop->clears;
    micro->cost = loop->cost;
    for (int i = 0; i < count; i++) {
        micro->args[i] = (short)args[i];
        group->operands[args[i]].last = (short)(group->micro_count - 1);
    }
    for (int i = 0; i < instr->nout; i++) {
        if (result_for(planner, number, instr, i, args[instr->nin + i], &shape->result) < 0) {
            return FAILED;
        }
    }
    return DONE;
}

/* NumPy compares bools by their truth, or by their bytes where one operand has no stride; which of
   the two happens to an array of one item, its iterator decides. */
static bool
is_single_truth(const Planner *planner, const Instr *instr, const Value *result)
{
    if (result->size != 1 || instr->nin != 2 || instr->loop->capsule == NULL
        || instr->loop->descr[0]->type_num != NPY_BOOL) {
        return false;
    }
    return planner->program->registers[instr->in[0]].ndim >= 0
           || planner->program->registers[instr->in[1]].ndim >= 0;
}

/* Arrays of one item reach a loop with the strides of NumPy's iterator, with those of its short cut
   around it, or with none, and some loops choose by strides how they compute: complex products for
   any arrays, others where arrays differ in their number of axes. */
static bool
depends_on_strides_of_one(const Planner *planner, const Instr *instr, const Value *result)
{
    bool differs = PyTypeNum_ISCOMPLEX(instr->loop->descr[0]->type_num)
                   && planner->program->registers[instr->out[0]].ndim > 0;
    for (int i = 0; i < instr->nin; i++) {
        const Value *value = &planner->plan->values[instr->in[i]];
        bool array = value->where != IN_COUNT && planner->program->registers[instr->in[i]].ndim > 0;
        differs |= array && value->ndim != result->ndim;
    }
    return differs && result->size == 1 && instr->loop->exact != EXACT;
}

Status
elementwise_plan(Planner *planner, const Instr *instr)
{
    Shape shape;
    bool rows;
    Status status = shape_of(planner, instr, &shape);
    if (status == DONE) {
        status = reuse_temporary(planner, instr, &shape);
    }
    if (status != DONE) {
        return status;
    }
    if (is_single_truth(planner, instr, &shape.result)
        || depends_on_strides_of_one(planner, instr, &shape.result)) {
        return UNPLANNED;
    }
    int number = choose_group(planner, instr, &shape.result, &rows);
    status = materialise_others(planner, instr, number);
    if (status != DONE) {
        return status;
    }
    if (number < 0) {
        number = planner_group(planner, LINEAR, &shape.result);
        if (number < 0) {
            return FAILED;
        }
    }
    return add_micro(planner, number, instr, rows, &shape);
}
