/* Planning: a segment's instructions become groups, for the shapes at hand.

   An elementwise instruction joins an open group of its shape and memory order. The planner closes
   a group when an instruction needs one of its results in memory. Groups run in the order in which
   they were closed, so each finds in memory what it reads. Invariants: shapes that do not broadcast
   end the call before anything is written; a plan that fails names the node that NumPy has to run
   instead. Read planner.c for closing groups; each kind of instruction has a file: elementwise.c,
   reduce.c, views.c, assign.c. */
#include "vm/plan/plan.h"

#include <stdlib.h>

#include "vm/plan/assign.h"
#include "vm/plan/elementwise.h"
#include "vm/plan/reduce.h"
#include "vm/plan/views.h"
#include "vm/program/segment.h"

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
    value_load((PyArrayObject *)object, value);
    int base = planner_base(planner->plan, BASE_OBJECT, reg, 0);
    value->base = (short)base;
    return base < 0 ? FAILED : DONE;
}

/* COUNT: the divisor of a mean or a variance, the number of reduced elements minus `less`. */
static Status
plan_count(Planner *planner, const Instr *instr)
{
    const Value *source = &planner->plan->values[instr->in[0]];
    Value *value = &planner->plan->values[instr->out[0]];
    npy_intp count = 1;
    for (int i = 0; i < source->ndim; i++) {
        count *= instr->axes >> i & 1 ? source->dims[i] : 1;
    }
    value_clear(value);
    value->where = IN_COUNT;
    value->size = 1;
    value->group = -1;
    value->offset = count - instr->less;
    return value->offset > 0 ? DONE : UNPLANNED; /* NumPy warns of a mean without elements */
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
    switch (instr->code) {
    case ELEMENTWISE:
        status = elementwise_plan(planner, instr);
        break;
    case COUNT:
        status = plan_count(planner, instr);
        break;
    case REDUCE:
        status = reduce_plan(planner, instr);
        break;
    case ASSIGN:
        status = assign_plan(planner, instr);
        break;
    case VIEW:
    case PERMUTE:
    case RESHAPE:
        status = views_plan(planner, instr);
        break;
    }
    for (int i = 0; i < instr->nin; i++) {
        planner->left[instr->in[i]]--;
    }
    return status;
}

/* Decides whether an exported register becomes a new array, a view, or a NumPy scalar. */
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

/* Gives scalars and blocks their offsets in the scratch. The buffers follow; groups run one after
   another, so all of them share the room that the largest needs. */
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
            place += base->size + (base->size >= LINE_BYTES ? LINE_BYTES : 0); /* as in buffers.c */
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
        status = planner_flush(planner);
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

/* An empty plan, with room for one value a register and one entry an export. */
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

/* Makes the plan for other shapes in the memory that it has. */
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
