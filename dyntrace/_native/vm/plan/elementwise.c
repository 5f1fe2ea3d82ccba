/* Planning of elementwise instructions: shape and strides of a result, and the group that makes it.

   An instruction joins an open group of its shape and memory order. It joins the rows of a group if
   its result has one element for each of them. Otherwise it opens a group.
   Invariant: a result has the strides that NumPy would give it: those of NumPy's iterator, or those
   of the large temporary that NumPy overwrites (temp_elide.c). Read array/layout.c for strides,
   planner.c for when a group ends. */
#include "vm/plan/elementwise.h"

#include "vm/array/layout.h"
#include "vm/plan/operands.h"

typedef struct {
    Value result;       /* shape and size; strides for items of one byte */
    const Value *arrays[MAX_ARGS];
    npy_intp itemsizes[MAX_ARGS];
    int array_count;
    bool swapped;       /* NumPy overwrites the second operand and passes it first */
} Shape;

/* Broadcasts the operands, and finds the strides of the result if NumPy makes new memory. */
static Status
shape_of(Planner *planner, const Instr *instr, Shape *shape)
{
    Value *result = &shape->result;
    bool simply = instr->loop->capsule != NULL; /* a ufunc; `where` always iterates */
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
        layout_keep_order(result->ndim, result->dims, shape->array_count, shape->arrays,
                          shape->itemsizes, simply, result->strides);
    }
    return DONE;
}

/* NPY_MIN_ELIDE_BYTES in numpy/_core/src/multiarray/temp_elide.c. */
enum { SMALLEST_REUSED = 256 * 1024 };

/* Whether NumPy would overwrite the operand if it is a temporary (can_elide_temp in
   temp_elide.c). */
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

/* The strides of a result that NumPy writes over an operand. An in-place operator always overwrites
   its first operand. Any other operator overwrites a large temporary (try_binary_elide in
   numpy/_core/src/multiarray/temp_elide.c). */
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
            return REPLAY; /* NumPy overwrites the operand only if nobody else refers to it */
        }
        return DONE;
    }
    return DONE;
}

/* The shape with one element for each row: the outer axes, without those of length one. */
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

/* Whether the value has one element for each row of the group; axes of length one do not count. */
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

/* Whether broadcasting repeats each element of the value along one whole row of the group. */
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

enum { MOST_OPERANDS = 2048 }; /* the time to close a group grows with the square of this number */

/* Whether the instruction can run once for each row of the group: its operands are numbers, or have
   one element for each row. */
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

/* Whether the instruction can run on all elements of the group. */
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
            return false; /* the group has this total only when all its tiles have run */
        }
    }
    return true;
}

/* The group that the instruction joins, rather one that makes an operand of it; -1: none. Sets
   `rows` if the instruction joins the rows of the group. */
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
                       && can_join_rows(planner, instr, &planner->plan->groups[number], number,
                                        result);
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

/* Closes the other groups that make an operand, so that their results are in memory. */
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

/* The group's operand for input `place`, cast to the dtype of the loop; -1: out of memory. */
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

/* Casts the loop's result to the dtype of its register, and describes the register's value. */
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

/* Whether the instruction is a binary loop over bools with a result of one element. NumPy's loops
   for bools compare truth where both operands have a stride, and bytes where one has stride 0.
   NumPy's iterator may give an array of one element the stride 0, so either may happen. */
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

/* Whether the bits of a result of one element depend on strides that are not known here. Some loops
   choose an algorithm by their strides. NumPy takes the strides of an array of one element from its
   iterator, or from the array where it needs no iterator (try_trivial_single_output_loop in
   numpy/_core/src/umath/ufunc_object.c). The difference shows in complex loops, and in others where
   the arrays differ in their number of axes. */
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
