/* Planner: opens and closes groups, and gives memory to results that outlive their group.

   Closing a group decides which of its results need memory: those that a later group reads, and
   those that the segment exports. The others stay in buffers of a tile.
   Invariant: once a group is closed, each result that is still read has memory. Read elementwise.c
   and reduce.c for what joins a group, group/finish.c for how a closed group is laid out. */
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

/* Whether the value is the group's operand, so that giving the operand memory moves the value. */
static bool
stands_for(const Value *value, int group, int operand)
{
    bool inside = value->where == IN_TILE || value->where == IN_ROW;
    return inside && value->group == group && value->operand == operand;
}

/* Who needs a register after its group: 0, nobody; 1, later groups; 2, an array that the segment
   exports. */
static int
need_of(const Planner *planner, int reg)
{
    if (planner->exported[reg] && planner->program->registers[reg].ndim >= 0) {
        return 2;
    }
    return planner->left[reg] > 0 || planner->exported[reg];
}

/* Who needs an operand: several registers stand for one where a view only added axes (views.c). */
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

/* Gives memory to each result that outlives the group: an array if it is exported, else a block. */
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
        int base =
            planner_base(planner->plan, need == 2 ? BASE_NEW : BASE_BLOCK, operand->reg, size);
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

/* Opens a group of the shape and memory order of `like`, whose strides are for items of one byte.
   It closes the oldest open group if MAX_OPEN are open. */
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

bool
planner_is_loose_truth(const Planner *planner, short reg)
{
    const Register *declared = &planner->program->registers[reg];
    Where where = planner->plan->values[reg].where;
    return declared->ndim < 0 && declared->descr != NULL && declared->descr->type_num == NPY_BOOL
           && (where == IN_BASE || where == IN_ROW);
}
