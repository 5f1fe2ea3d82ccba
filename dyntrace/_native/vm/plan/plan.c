/* Planning: a segment's instructions become groups, for the shapes at hand.

   Elementwise instructions join an open group of the same shape and memory order; a group is closed
   when somebody needs one of its results in memory. Groups run in the order in which they were
   closed, so each finds in memory what it reads.
   Invariants: shapes that do not fit decline the whole call, before anything has been written; where
   a layout cannot be planned, the node that it fails for is known. */
#include "vm/vm.h"

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
        group_find_columns(plan, &plan->groups[number]);
    }
    plan->sequence[plan->sequence_count++] = (short)number;
    if (status != DONE) {
        planner->failed = status;
        planner->fault = plan->groups[number].fault;
    }
    return status;
}

Status
plan_materialise(Planner *planner, short reg)
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
    group->instr = planner->instr;
    group->ndim = like->ndim;
    group->size = like->size;
    memcpy(group->dims, like->dims, (size_t)like->ndim * sizeof *group->dims);
    memcpy(group->order, like->strides, (size_t)like->ndim * sizeof *group->order);
    planner->open[planner->open_count++] = (short)plan->group_count;
    return plan->group_count++;
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
    clear_value(value);
    value->where = IN_COUNT;
    value->size = 1;
    value->group = -1;
    value->offset = count - instr->less;
    return value->offset > 0 ? DONE : UNPLANNED; /* eager warns */
}

/* Whole segments ---------------------------------------------------------------------------- */
static Status
plan_instr(Planner *planner, const Instr *instr)
{
    Status status = UNPLANNED;
    planner->instr = instr;
    for (int i = 0; i < planner->open_count; i++) {
        planner->plan->groups[planner->open[i]].instr = instr;
    }
    switch ((enum InstrCode)instr->code) {
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
    case VIEW:
    case PERMUTE:
    case RESHAPE:
        status = plan_view(planner, instr);
        break;
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
        return UNPLANNED;
    }
    Base *base = &plan->bases[plan_root(plan, value->base)];
    if (planner->program->registers[reg].ndim < 0) {
        export->code = EXPORT_SCALAR;
        return value->ndim == 0 ? DONE : UNPLANNED;
    }
    if (base->code == BASE_BLOCK) {
        base->code = BASE_NEW;
    }
    bool whole = base->code == BASE_NEW && base->reg == reg && value->owns;
    export->code = whole ? EXPORT_NEW : EXPORT_VIEW;
    return base->code == BASE_NEW || base->code == BASE_OBJECT ? DONE : UNPLANNED;
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
            place += base->size + (base->size >= LINE_BYTES ? LINE_BYTES : 0); /* as in cut.c */
        }
    }
    plan->buffers = (place + 2 * LINE_BYTES - 1) & ~(npy_intp)(LINE_BYTES - 1);
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
        if (status != DONE) {
            planner->fault = segment_maker(segment, segment->exports[i]);
        }
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
    const Instr *last = planner.instr != NULL ? planner.instr : segment->instrs;
    plan->fault = planner.fault != NULL ? planner.fault : last->node;
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
