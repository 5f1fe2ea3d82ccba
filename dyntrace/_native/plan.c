/* Planning: a segment's instructions become groups, for the shapes at hand.

   Elementwise instructions join an open group of the same shape and memory order; a group is closed
   when somebody needs one of its results in memory. Groups run in the order in which they were
   closed, so each finds in memory what it reads.
   Invariant: shapes that do not fit decline the whole call, before anything has been written. */
#include "vm.h"

#include <stdlib.h>

int
plan_base(Plan *plan, uint8_t code, short reg, npy_intp size)
{
    if (plan->base_count == plan->base_room) {
        int room = plan->base_room ? 2 * plan->base_room : 16;
        Base *bases =
            room > INT16_MAX ? NULL : realloc(plan->bases, (size_t)room * sizeof *bases);
        if (bases == NULL) {
            return -1;
        }
        plan->bases = bases;
        plan->base_room = room;
    }
    plan->bases[plan->base_count] = (Base){.code = code, .reg = reg, .size = size, .count = -1};
    return plan->base_count++;
}

short
plan_root(const Plan *plan, short base)
{
    while (plan->bases[base].code == BASE_INDEXED) {
        base = plan->bases[base].parent;
    }
    return base;
}

void
load_value(PyArrayObject *array, Value *value)
{
    value->ndim = PyArray_NDIM(array);
    for (int i = 0; i < value->ndim; i++) {
        value->dims[i] = PyArray_DIM(array, i);
        value->strides[i] = PyArray_STRIDE(array, i);
    }
    value->size = dims_size(value->ndim, value->dims);
    value->where = IN_BASE;
    value->group = -1;
    value->offset = 0;
    value->owns = PyArray_CHKFLAGS(array, NPY_ARRAY_OWNDATA | NPY_ARRAY_WRITEABLE);
}

/* Values ------------------------------------------------------------------------------------ */
static Status
load_input(Planner *planner, short reg)
{
    const Register *declared = &planner->program->registers[reg];
    Value *value = &planner->plan->values[reg];
    PyObject *object = planner->objects[reg];
    value->group = -1;
    if (declared->descr == NULL || declared->ndim < 0) {
        value->where = IN_OBJECT;
        value->size = 1;
        return DONE;
    }
    load_value((PyArrayObject *)object, value);
    int base = plan_base(planner->plan, BASE_OBJECT, reg, 0);
    value->base = (short)base;
    return base < 0 ? FAILED : DONE;
}

/* Groups ------------------------------------------------------------------------------------ */
static void
forget_open(Planner *planner, int group)
{
    for (int i = 0; i < planner->open_count; i++) {
        if (planner->open[i] == group) {
            memmove(&planner->open[i], &planner->open[i + 1],
                    (size_t)(planner->open_count - i - 1) * sizeof *planner->open);
            planner->open_count--;
            return;
        }
    }
}

static bool
stands_for(const Value *value, int group, int operand)
{
    bool inside = value->where == IN_TILE || value->where == IN_ROW;
    return inside && value->group == group && value->operand == operand;
}

/* What a register of a closing group is needed for: 0 nothing, 1 later groups, 2 an object. */
static int
need_of(const Planner *planner, int reg)
{
    if (planner->exported[reg] && planner->program->registers[reg].ndim >= 0) {
        return 2;
    }
    return planner->left[reg] > 0 || planner->exported[reg];
}

/* The same for an operand: it may stand for several registers where axes have been added. */
static int
need_of_operand(const Planner *planner, int group, int operand, short own)
{
    const Plan *plan = planner->plan;
    int need = stands_for(&plan->values[own], group, operand) ? need_of(planner, own) : 0;
    for (int reg = 0; plan->aliases && reg < plan->value_count; reg++) {
        if (stands_for(&plan->values[reg], group, operand)) {
            int its = need_of(planner, reg);
            need = its > need ? its : need;
        }
    }
    return need;
}

static void
move_value(Value *value, int base)
{
    value->where = IN_BASE;
    value->base = (short)base;
    value->offset = 0;
    value->group = -1;
}

static void
move_to_base(Planner *planner, int group, int operand, short own, int base)
{
    Plan *plan = planner->plan;
    for (int reg = 0; plan->aliases && reg < plan->value_count; reg++) {
        if (stands_for(&plan->values[reg], group, operand)) {
            move_value(&plan->values[reg], base);
        }
    }
    if (stands_for(&plan->values[own], group, operand)) {
        move_value(&plan->values[own], base);
    }
}

/* Gives memory to the results that outlive the group. */
static Status
keep_results(Planner *planner, int number)
{
    Group *group = &planner->plan->groups[number];
    for (int i = 0; i < group->operand_count; i++) {
        Operand *operand = &group->operands[i];
        if (!operand->written || operand->reg < 0 || operand->kept) {
            continue;
        }
        int need = need_of_operand(planner, number, i, operand->reg);
        if (need == 0) {
            continue;
        }
        const Value *value = &planner->plan->values[operand->reg];
        npy_intp size = value->size * operand->itemsize;
        int base = plan_base(planner->plan, need == 2 ? BASE_NEW : BASE_BLOCK, operand->reg, size);
        if (base < 0) {
            return FAILED;
        }
        operand->kept = true;
        operand->base = (short)base;
        move_to_base(planner, number, i, operand->reg, base);
    }
    return DONE;
}

Status
plan_close(Planner *planner, int number)
{
    Plan *plan = planner->plan;
    Group *group = &plan->groups[number];
    if (!group->open) {
        return DONE;
    }
    group->open = false;
    forget_open(planner, number);
    for (int reg = 0; reg < plan->value_count; reg++) {
        if (plan->values[reg].group == number && plan->values[reg].where == IN_BASE) {
            plan->values[reg].group = -1;
        }
    }
    Status status = keep_results(planner, number);
    if (status == DONE) {
        status = group_finish(&plan->groups[number]);
    }
    plan->sequence[plan->sequence_count++] = (short)number;
    planner->failed = status != DONE ? status : planner->failed;
    return status;
}

Status
plan_settle(Planner *planner, short reg)
{
    Value *value = &planner->plan->values[reg];
    return value->group < 0 ? DONE : plan_close(planner, value->group);
}

Status
plan_flush(Planner *planner)
{
    Status status = DONE;
    while (planner->open_count > 0 && status == DONE) {
        status = plan_close(planner, planner->open[0]);
    }
    return status;
}

/* A new open group of the shape and order of `like`. */
int
plan_group(Planner *planner, uint8_t mode, const Value *like)
{
    Plan *plan = planner->plan;
    if (planner->open_count == MAX_OPEN && plan_close(planner, planner->open[0]) != DONE) {
        return -1;
    }
    if (plan->group_count == plan->group_room) {
        int room = plan->group_room ? 2 * plan->group_room : 4;
        if (room > INT16_MAX) {
            return -1;
        }
        Group *groups = realloc(plan->groups, (size_t)room * sizeof *groups);
        short *sequence = realloc(plan->sequence, (size_t)room * sizeof *sequence);
        plan->groups = groups != NULL ? groups : plan->groups;
        plan->sequence = sequence != NULL ? sequence : plan->sequence;
        if (groups == NULL || sequence == NULL) {
            return -1;
        }
        memset(groups + plan->group_room, 0, (size_t)(room - plan->group_room) * sizeof *groups);
        plan->group_room = room;
    }
    Group *group = &plan->groups[plan->group_count];
    group_clear(group);
    group->mode = mode;
    group->open = true;
    group->ndim = like->ndim;
    group->size = like->size;
    memcpy(group->dims, like->dims, sizeof group->dims);
    memcpy(group->order, like->strides, sizeof group->order);
    planner->open[planner->open_count++] = (short)plan->group_count;
    return plan->group_count++;
}

/* Elementwise ------------------------------------------------------------------------------- */
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
    memset(shape, 0, sizeof *shape);
    for (int i = 0; i < instr->nin; i++) {
        const Value *value = &planner->plan->values[instr->in[i]];
        const Register *declared = &planner->program->registers[instr->in[i]];
        if (value->where == IN_OBJECT || value->where == IN_COUNT) {
            continue;
        }
        if (!broadcast_dims(&result->ndim, result->dims, value->ndim, value->dims)) {
            return MISFIT;
        }
        if (value->ndim > 0) {
            simply &= declared->descr->type_num == instr->loop->descr[i]->type_num;
            shape->itemsizes[shape->array_count] = declared->itemsize;
            shape->arrays[shape->array_count++] = value;
        }
    }
    result->size = dims_size(result->ndim, result->dims);
    if (result->size < 0) {
        return REPLAY;
    }
    if (instr->copies && shape->array_count == 1) {
        copy_order(shape->arrays[0], shape->itemsizes[0], 1, result->strides);
    }
    else {
        keep_order(result->ndim, result->dims, shape->array_count, shape->arrays, shape->itemsizes,
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
           && same_dims(value->ndim, value->dims, shape->result.ndim, shape->result.dims)
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
        scale_strides(value->ndim, value->strides, itemsize, 1, shape->result.strides);
        bool fits = same_dims(value->ndim, value->dims, shape->result.ndim, shape->result.dims);
        return !fits ? MISFIT : value->owns ? DONE : TO_TWIN;
    }
    for (int place = 0; place < 2 && place < instr->nin; place++) {
        if (!instr->reuses[place] || !can_reuse(planner, instr, shape, place)) {
            continue;
        }
        const Value *value = &planner->plan->values[instr->in[place]];
        npy_intp itemsize = planner->program->registers[instr->in[place]].itemsize;
        if (!instr->outside[place]) {
            shape->swapped = place == 1;
            scale_strides(value->ndim, value->strides, itemsize, 1, shape->result.strides);
            return DONE;
        }
        const Value *other = &planner->plan->values[instr->in[instr->nin > 1 ? 1 - place : place]];
        if (other->where != IN_OBJECT && other->ndim > 0
            && memcmp(other->strides, value->strides, sizeof value->strides) != 0) {
            return REPLAY; /* it depends on who else holds the temporary */
        }
        return DONE;
    }
    return DONE;
}

bool
plan_fits(const Group *group, const Value *result)
{
    if (!group->open || !same_dims(group->ndim, group->dims, result->ndim, result->dims)) {
        return false;
    }
    for (int i = 0; i < group->ndim; i++) {
        if (group->dims[i] != 1 && group->order[i] != result->strides[i]) {
            return false;
        }
    }
    return true;
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
    return same_dims(outer_dims(group, mine), mine, count, its);
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
    if (!plan_fits(group, result) || group->operand_count > MOST_OPERANDS) {
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
settle_others(Planner *planner, const Instr *instr, int group)
{
    for (int i = 0; i < instr->nin; i++) {
        const Value *value = &planner->plan->values[instr->in[i]];
        if (value->group >= 0 && value->group != group) {
            Status status = plan_settle(planner, instr->in[i]);
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
        return group_scalar(planner, group, reg, wanted);
    }
    if (value->where == IN_BASE) {
        operand = group_external(planner, group, reg, value, rows);
    }
    else {
        operand = value->operand;
    }
    if (operand < 0 || group->operands[operand].type == wanted->type_num) {
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
    *value = *result;
    scale_strides(result->ndim, result->strides, 1, declared->itemsize, value->strides);
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

Status
plan_elementwise(Planner *planner, const Instr *instr)
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
    int number = choose_group(planner, instr, &shape.result, &rows);
    status = settle_others(planner, instr, number);
    if (status != DONE) {
        return status;
    }
    if (number < 0) {
        number = plan_group(planner, LINEAR, &shape.result);
        if (number < 0) {
            return FAILED;
        }
    }
    return add_micro(planner, number, instr, rows, &shape);
}

/* The number of elements that a reduction takes together. */
static Status
plan_count(Planner *planner, const Instr *instr)
{
    const Value *source = &planner->plan->values[instr->in[0]];
    Value *value = &planner->plan->values[instr->out[0]];
    npy_intp count = 1;
    for (int i = 0; i < source->ndim; i++) {
        count *= instr->axes >> i & 1 ? source->dims[i] : 1;
    }
    memset(value, 0, sizeof *value);
    value->where = IN_COUNT;
    value->size = 1;
    value->group = -1;
    value->offset = count - instr->less;
    return value->offset > 0 ? DONE : TO_TWIN; /* eager warns */
}

/* Whole segments ---------------------------------------------------------------------------- */
static Status
plan_instr(Planner *planner, const Instr *instr)
{
    Status status;
    switch (instr->code) {
    case ELEMENTWISE:
        status = plan_elementwise(planner, instr);
        break;
    case COUNT:
        status = plan_count(planner, instr);
        break;
    case REDUCE:
        status = plan_reduce(planner, instr);
        break;
    case ASSIGN:
        status = plan_assign(planner, instr);
        break;
    default:
        status = plan_view(planner, instr);
    }
    for (int i = 0; i < instr->nin; i++) {
        planner->left[instr->in[i]]--;
    }
    return status;
}

/* How a register of the exports becomes an object. */
static Status
plan_export(Planner *planner, short reg)
{
    Plan *plan = planner->plan;
    const Value *value = &plan->values[reg];
    Export *export = &plan->exports[plan->export_count++];
    *export = (Export){.reg = reg, .base = value->base, .offset = value->offset};
    if (value->where != IN_BASE) {
        return TO_TWIN;
    }
    Base *base = &plan->bases[plan_root(plan, value->base)];
    if (planner->program->registers[reg].ndim < 0) {
        export->code = EXPORT_SCALAR;
        return value->ndim == 0 ? DONE : TO_TWIN;
    }
    if (base->code == BASE_BLOCK) {
        base->code = BASE_NEW;
    }
    bool whole = base->code == BASE_NEW && base->reg == reg && value->owns;
    export->code = whole ? EXPORT_NEW : EXPORT_VIEW;
    return base->code == BASE_NEW || base->code == BASE_OBJECT ? DONE : TO_TWIN;
}

/* Places scalars and blocks in the scratch; the buffers of the groups come behind them. */
static void
place_scratch(Plan *plan)
{
    npy_intp place = 0, buffers = 0;
    for (int i = 0; i < plan->base_count; i++) {
        Base *base = &plan->bases[i];
        if (base->code == BASE_BLOCK || base->code == BASE_SCALAR) {
            npy_intp alignment = base->size >= LINE_BYTES ? LINE_BYTES : 32;
            place = (place + alignment - 1) & ~(alignment - 1);
            base->place = place;
            place += base->size;
        }
    }
    plan->buffers = (place + LINE_BYTES - 1) & ~(npy_intp)(LINE_BYTES - 1);
    for (int i = 0; i < plan->group_count; i++) {
        Group *group = &plan->groups[i];
        buffers = group->scratch > buffers ? group->scratch : buffers;
        plan->cost += group->cost;
    }
    plan->scratch = buffers;
}

static Status
plan_all(Planner *planner)
{
    const Segment *segment = planner->segment;
    Status status = DONE;
    for (int i = 0; i < segment->input_count && status == DONE; i++) {
        status = load_input(planner, segment->inputs[i]);
    }
    for (int i = 0; i < segment->instr_count && status == DONE; i++) {
        status = plan_instr(planner, &segment->instrs[i]);
    }
    if (status == DONE) {
        status = plan_flush(planner);
    }
    for (int i = 0; i < segment->export_count && status == DONE; i++) {
        status = plan_export(planner, segment->exports[i]);
    }
    if (status == DONE) {
        place_scratch(planner->plan);
    }
    return status;
}

/* An empty plan with room for what never changes in number. */
Plan *
plan_new(const Program *program, const Segment *segment)
{
    size_t registers = (size_t)program->register_count;
    Plan *plan = calloc(1, sizeof *plan);
    if (plan == NULL) {
        return NULL;
    }
    plan->values = calloc(registers + 1, sizeof *plan->values);
    plan->left = calloc(registers + 1, sizeof *plan->left);
    plan->exports = calloc((size_t)segment->export_count + 1, sizeof *plan->exports);
    if (plan->values == NULL || plan->left == NULL || plan->exports == NULL) {
        plan_free(plan);
        return NULL;
    }
    plan->value_count = program->register_count;
    return plan;
}

static bool
take_key(Plan *plan, const npy_intp *key, int length)
{
    if (length > plan->key_room) {
        npy_intp *room = realloc(plan->key, (size_t)length * sizeof *room);
        if (room == NULL) {
            return false;
        }
        plan->key = room;
        plan->key_room = length;
    }
    for (int i = 0; i < length; i++) {
        plan->key[i] = key[i];
    }
    plan->key_length = length;
    return true;
}

/* Plans anew, in the memory of the old plan. */
bool
plan_make(Plan *plan, const Program *program, const Segment *segment, PyObject **objects,
          const npy_intp *key, int length)
{
    Planner planner = {.program = program, .segment = segment, .objects = objects, .plan = plan,
                       .left = plan->left, .exported = segment->exported};
    plan->key_length = -1;
    plan->base_count = plan->group_count = plan->sequence_count = plan->export_count = 0;
    plan->aliases = false;
    plan->last_group = plan->undo_group = -1;
    plan->cost = 0;
    for (int reg = 0; reg < plan->value_count; reg++) {
        plan->values[reg].where = NOWHERE;
        plan->values[reg].group = -1;
    }
    memcpy(planner.left, segment->uses, (size_t)plan->value_count * sizeof *planner.left);
    plan->status = plan_all(&planner);
    if (plan->status == FAILED && planner.failed != DONE) {
        plan->status = planner.failed;
    }
    return plan->status != FAILED && take_key(plan, key, length);
}

void
plan_free(Plan *plan)
{
    if (plan == NULL) {
        return;
    }
    for (int i = 0; i < plan->group_room; i++) {
        group_free(&plan->groups[i]);
    }
    free(plan->groups);
    free(plan->sequence);
    free(plan->bases);
    free(plan->values);
    free(plan->exports);
    free(plan->key);
    free(plan->left);
    free(plan);
}
