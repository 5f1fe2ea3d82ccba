/* Planner: a plan being made, and the groups that are open.

   A group is closed when somebody needs one of its results in memory. Groups run in the order in
   which they were closed, so each finds in memory what it reads.
   Invariant: a result that outlives its group has memory, from when the group is closed on. Read
   plan.c for what joins groups. */
#include "vm/plan/planner.h"

#include <stdlib.h>

#include "vm/array/layout.h"
#include "vm/group/finish.h"
#include "vm/plan/columns.h"

int
planner_base(Plan *plan, BaseCode code, short reg, npy_intp size)
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

/* What a register of a closing group is needed for: 0 for nothing, 1 for later groups, 2 for an
   object that the segment exports. */
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
        int base = planner_base(planner->plan, need == 2 ? BASE_NEW : BASE_BLOCK, operand->reg, size);
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
planner_close(Planner *planner, int number)
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
        status = finish_group(&plan->groups[number]);
        columns_find(plan, &plan->groups[number]);
    }
    plan->sequence[plan->sequence_count++] = (short)number;
    if (status != DONE) {
        planner->failed = status;
        planner->fault = plan->groups[number].fault;
    }
    return status;
}

Status
planner_materialise(Planner *planner, short reg)
{
    Value *value = &planner->plan->values[reg];
    return value->group < 0 ? DONE : planner_close(planner, value->group);
}

Status
planner_flush(Planner *planner)
{
    Status status = DONE;
    while (planner->open_count > 0 && status == DONE) {
        status = planner_close(planner, planner->open[0]);
    }
    return status;
}

/* A new open group of the shape and order of `like`. */
int
planner_group(Planner *planner, GroupMode mode, const Value *like)
{
    Plan *plan = planner->plan;
    if (planner->open_count == MAX_OPEN && planner_close(planner, planner->open[0]) != DONE) {
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

bool
planner_fits(const Group *group, const Value *result)
{
    if (!group->open || !layout_same(group->ndim, group->dims, result->ndim, result->dims)) {
        return false;
    }
    for (int i = 0; i < group->ndim; i++) {
        if (group->dims[i] != 1 && group->order[i] != result->strides[i]) {
            return false;
        }
    }
    return true;
}

/* Whether a NumPy scalar is still an element of a bool array, whose byte need not be 0 or 1. */
bool
planner_is_loose_truth(const Planner *planner, short reg)
{
    const Register *declared = &planner->program->registers[reg];
    Where where = planner->plan->values[reg].where;
    return declared->ndim < 0 && declared->descr != NULL && declared->descr->type_num == NPY_BOOL
           && (where == IN_BASE || where == IN_ROW);
}
