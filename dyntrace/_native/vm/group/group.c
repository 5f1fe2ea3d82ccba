/* Groups: their operands while they are formed; and when they are closed, how they are run.

   Closing coalesces the axes as far as every operand in memory allows, decides the size of tiles by
   what is live in one, and gives buffers to the results that stay inside.
   Invariant: the elements of a tile lie in the group's memory order, so that results in memory and
   in buffers are dense; a loop whose bits may depend on strides sees the strides that eager's sees. */
#include "vm/vm.h"

#include <stdlib.h>

/* A new operand with every field zero, in the group's axes as well; NULL: out of memory. */
static Operand *
add_operand(Group *group)
{
    size_t axes = (size_t)group->ndim * sizeof(npy_intp);
    if (group->operand_count == group->operand_room) {
        int room = group->operand_room ? 2 * group->operand_room : 8;
        Operand *operands =
            room > INT16_MAX ? NULL : realloc(group->operands, (size_t)room * sizeof *operands);
        if (operands == NULL) {
            return NULL;
        }
        group->operands = operands;
        group->operand_room = room;
    }
    Operand *operand = &group->operands[group->operand_count++];
    memset(operand, 0, offsetof(Operand, axes));
    memset(operand->axes, 0, axes);
    memset(operand->strides, 0, axes);
    operand->last = -1;
    return operand;
}

static int
place_of(const Group *group, const Operand *operand)
{
    return (int)(operand - group->operands);
}

int
group_new(Group *group, uint8_t code, short reg, int type, npy_intp itemsize)
{
    Operand *operand = add_operand(group);
    if (operand == NULL) {
        return -1;
    }
    operand->code = code;
    operand->written = true;
    operand->reg = reg;
    operand->type = type;
    operand->itemsize = itemsize;
    operand->base = -1;
    return place_of(group, operand);
}

Micro *
group_micro(Group *group, uint8_t code)
{
    if (group->micro_count == group->micro_room) {
        int room = group->micro_room ? 2 * group->micro_room : 8;
        Micro *micros =
            room > INT16_MAX ? NULL : realloc(group->micros, (size_t)room * sizeof *micros);
        if (micros == NULL) {
            return NULL;
        }
        group->micros = micros;
        group->micro_room = room;
    }
    Micro *micro = &group->micros[group->micro_count++];
    memset(micro, 0, sizeof *micro);
    micro->code = code;
    micro->instr = group->instr;
    return micro;
}

/* Strides of an array in memory along the group's axes, or along the axes of its rows. */
static void
lay_along(const Group *group, const Value *value, bool rows, npy_intp *axes)
{
    if (!rows) {
        int shift = group->ndim - value->ndim;
        for (int i = 0; i < group->ndim; i++) {
            bool broadcast = i < shift || value->dims[i - shift] == 1;
            axes[i] = broadcast ? 0 : value->strides[i - shift];
        }
        return;
    }
    int next = 0;
    for (int i = 0; i < group->ndim; i++) {
        axes[i] = 0;
        if (i < group->ndim - group->inner && group->dims[i] != 1) {
            while (value->dims[next] == 1) {
                next++;
            }
            axes[i] = value->strides[next++];
        }
    }
}

int
group_external(Planner *planner, Group *group, short reg, const Value *value, bool rows)
{
    uint8_t code = value->size == 1 ? OPERAND_SCALAR : rows ? OPERAND_LANES : OPERAND_LINES;
    for (int i = 0; i < group->operand_count; i++) {
        const Operand *known = &group->operands[i];
        if (!known->written && known->reg == reg && known->code == code) {
            return i;
        }
    }
    const Register *declared = &planner->program->registers[reg];
    Operand *operand = add_operand(group);
    if (operand == NULL) {
        return -1;
    }
    operand->code = code;
    operand->reg = reg;
    operand->base = value->base;
    operand->offset = value->offset;
    operand->itemsize = declared->itemsize;
    operand->type = declared->descr->type_num;
    if (code != OPERAND_SCALAR) {
        lay_along(group, value, rows, operand->axes);
    }
    return place_of(group, operand);
}

int
group_scalar(Planner *planner, Group *group, short reg, const PyArray_Descr *descr)
{
    Plan *plan = planner->plan;
    for (int i = 0; i < group->operand_count; i++) {
        const Operand *known = &group->operands[i];
        if (known->code == OPERAND_SCALAR && known->reg == reg && known->type == descr->type_num) {
            return i;
        }
    }
    int number = plan_base(plan, BASE_SCALAR, reg, PyDataType_ELSIZE(descr));
    if (number < 0) {
        return -1;
    }
    const Value *value = &plan->values[reg];
    plan->bases[number].descr = descr;
    plan->bases[number].count = value->where == IN_COUNT ? value->offset : -1;
    Operand *operand = add_operand(group);
    if (operand == NULL) {
        return -1;
    }
    operand->code = OPERAND_SCALAR;
    operand->reg = reg;
    operand->base = (short)number;
    operand->type = descr->type_num;
    operand->itemsize = PyDataType_ELSIZE(descr);
    return place_of(group, operand);
}

/* Copies, or casts, element by element. */
Micro *
group_move(Group *group, int from, int to, PyArrayMethod_StridedLoop *move)
{
    Micro *micro = from < 0 || to < 0 || move == NULL ? NULL : group_micro(group, MICRO_FULL);
    if (micro != NULL) {
        micro->count = 2;
        micro->args[0] = (short)from;
        micro->args[1] = (short)to;
        micro->function = move;
        micro->exact = EXACT;
        micro->cost = 0.2f;
    }
    return micro;
}

/* A buffer with the elements of an operand cast to another type, made once for each type. */
int
group_cast(Group *group, int source, int type)
{
    PyArrayMethod_StridedLoop *function = cast_loop(group->operands[source].type, type);
    for (int i = 0; i < group->micro_count; i++) {
        const Micro *known = &group->micros[i];
        if (known->function == function && known->count == 2 && known->args[0] == source
            && known->code != MICRO_REDUCE && group->operands[known->args[1]].type == type
            && group->operands[known->args[1]].reg < 0) {
            return known->args[1];
        }
    }
    PyArray_Descr *descr = PyArray_DescrFromType(type);
    npy_intp itemsize = PyDataType_ELSIZE(descr);
    Py_DECREF(descr);
    const Operand *from = &group->operands[source];
    bool rows = from->code == OPERAND_ROW || from->code == OPERAND_LANES;
    int made = group_new(group, rows ? OPERAND_ROW : OPERAND_TILE, -1, type, itemsize);
    Micro *micro = made < 0 ? NULL : group_micro(group, rows ? MICRO_ROW : MICRO_FULL);
    if (micro == NULL || function == NULL) {
        return -1;
    }
    micro->count = 2;
    micro->function = function;
    micro->exact = EXACT;
    micro->cost = 0.2f;
    micro->args[0] = (short)source;
    micro->args[1] = (short)made;
    group->operands[source].last = group->operands[made].last = (short)(group->micro_count - 1);
    return made;
}

/* Axes -------------------------------------------------------------------------------------- */
enum { OUTER, MIDDLE, INNER };

/* Which part of the group an axis belongs to; axes of different parts are not coalesced. */
static int
part_of(const Group *group, int axis)
{
    int behind = group->ndim - axis;
    if (group->mode == ROWS) {
        return behind <= group->inner ? INNER : OUTER;
    }
    if (group->mode == COLUMNS) { /* inner: how many axes are kept behind the reduced ones */
        return behind <= group->inner ? INNER : group->reduced >> axis & 1 ? MIDDLE : OUTER;
    }
    return INNER;
}

/* The axes that are longer than one, slowest first. */
static int
ordered_axes(const Group *group, int *axes)
{
    int count = 0;
    for (int i = 0; i < group->ndim; i++) {
        if (group->dims[i] == 1) {
            continue;
        }
        int place = count++;
        while (place > 0 && group->order[axes[place - 1]] < group->order[i]) {
            axes[place] = axes[place - 1];
            place--;
        }
        axes[place] = i;
    }
    return count;
}

static bool
is_external(const Operand *operand)
{
    return operand->code == OPERAND_LINES || operand->code == OPERAND_LANES;
}

static bool
can_merge(const Group *group, int outer, int inner)
{
    if (part_of(group, outer) != part_of(group, inner)) {
        return false;
    }
    for (int i = 0; i < group->operand_count; i++) {
        const Operand *operand = &group->operands[i];
        if (is_external(operand)
            && operand->axes[outer] != operand->axes[inner] * group->dims[inner]) {
            return false;
        }
    }
    return true;
}

static void
coalesce(Group *group)
{
    int axes[MAX_NDIM], count = ordered_axes(group, axes), rank = 0;
    for (int i = 0; i < count; i++) {
        if (i > 0 && can_merge(group, axes[i - 1], axes[i])) {
            group->extents[rank - 1] *= group->dims[axes[i]];
        }
        else {
            group->extents[rank++] = group->dims[axes[i]];
        }
        for (int k = 0; k < group->operand_count; k++) {
            group->operands[k].strides[rank - 1] = group->operands[k].axes[axes[i]];
        }
    }
    group->rank = rank;
}

/* How many of the coalesced axes the inner part has. */
static int
inner_rank(const Group *group)
{
    int axes[MAX_NDIM], count = ordered_axes(group, axes), rank = 0;
    for (int i = 0; i < count; i++) {
        bool starts = i == 0 || !can_merge(group, axes[i - 1], axes[i]);
        rank += starts && part_of(group, axes[i]) == INNER;
    }
    return rank;
}

bool
group_has_rows(Group *group)
{
    return inner_rank(group) <= 1;
}

static bool
is_flat(const Group *group, const Operand *operand)
{
    return is_dense_in_order(group->rank, group->extents, operand->strides, operand->itemsize);
}

/* The elements for the rows lie at one distance; it becomes the first stride. */
static bool
make_even(const Group *group, Operand *operand)
{
    int outer = group->rank - 1;
    if (outer > 1) {
        npy_intp step = operand->strides[outer - 1];
        if (!is_dense_in_order(outer, group->extents, operand->strides, step)) {
            return false;
        }
        operand->strides[0] = step;
    }
    return true;
}

static bool
uses(const Micro *micro, int operand)
{
    for (int i = 0; i < micro->count; i++) {
        if (micro->args[i] == operand) {
            return true;
        }
    }
    return false;
}

/* What cannot be run is for the node that brought the operand into the group, or reduces it. */
static Status
give_up(Group *group, int operand)
{
    for (int k = group->micro_count - 1; k >= 0; k--) {
        const Micro *micro = &group->micros[k];
        bool found = operand < 0 ? micro->code == MICRO_REDUCE : uses(micro, operand);
        if (found && micro->instr != NULL) {
            group->fault = micro->instr->node;
        }
    }
    return UNPLANNED;
}

/* Lines, and what each operand is to them. */
static Status
make_lines(Group *group)
{
    coalesce(group);
    bool split = group->mode == ROWS || group->mode == COLUMNS;
    if (split && inner_rank(group) > 1) {
        return give_up(group, -1);
    }
    if (split && inner_rank(group) == 0) { /* rows of one element */
        group->extents[group->rank++] = 1;
        for (int i = 0; i < group->operand_count; i++) {
            group->operands[i].strides[group->rank - 1] = 0;
        }
    }
    bool linear = group->mode == TREE || group->mode == PARTS;
    if (linear && group->rank > 1) {
        return give_up(group, -1);
    }
    group->line = group->rank > 0 ? group->extents[group->rank - 1] : 1;
    group->lines = group->line > 0 ? group->size / group->line : 0;
    group->blocks = 1;
    for (int i = 0; i < group->ndim; i++) {
        group->blocks *= part_of(group, i) == OUTER ? group->dims[i] : 1;
    }
    for (int i = 0; i < group->operand_count; i++) {
        Operand *operand = &group->operands[i];
        if (operand->code == OPERAND_LINES && is_flat(group, operand)) {
            operand->code = OPERAND_FLAT;
        }
        if (operand->code == OPERAND_LANES && !make_even(group, operand)) {
            return give_up(group, i);
        }
    }
    return DONE;
}

/* Whether the group's lines may begin and end elsewhere than NumPy's, for a loop to which that
   matters. One line for all elements is NumPy's line, too, and is cut at multiples of 64. */
static bool
loses_place(const Group *group, const Micro *micro)
{
    return micro->exact == WHOLE_LOOP && (micro->code != MICRO_FULL || group->rank > 1);
}

/* An element for each line. Where lines are short NumPy writes such operands out in its buffers,
   but power takes square roots and squares only while the exponent has no stride. */
static bool
is_written_out(const Group *group, const Micro *micro, int arg)
{
    const Operand *operand = &group->operands[micro->args[arg]];
    bool repeated = operand->code == OPERAND_LANES || operand->code == OPERAND_ROW
                    || (operand->code == OPERAND_LINES && group->rank > 1
                        && operand->strides[group->rank - 1] == 0);
    return micro->code == MICRO_FULL && micro->exact == STRIDED && arg > 0
           && arg < micro->instr->nin && group->lines > 1 && repeated;
}

/* Whether a micro-operation has to take an operand line by line; whether its bits allow it. */
static Status
check_micro(Group *group, Micro *micro)
{
    if (loses_place(group, micro)) {
        group->fault = micro->instr->node;
        return UNPLANNED;
    }
    for (int i = 0; i < micro->count; i++) {
        const Operand *operand = &group->operands[micro->args[i]];
        bool lines = operand->code == OPERAND_LINES;
        if (micro->code == MICRO_FULL) {
            micro->by_line |= (lines && group->rank > 1) || operand->code == OPERAND_ROW
                              || operand->code == OPERAND_LANES;
        }
        bool turned = lines && group->rank > 0 && operand->strides[group->rank - 1] < 0;
        if ((turned && micro->exact != EXACT) || is_written_out(group, micro, i)) {
            group->fault = micro->instr->node;
            return UNPLANNED;
        }
    }
    if (micro->by_line && micro->exact != EXACT && group->line == 1 && group->lines > 1) {
        group->fault = micro->instr->node; /* lines of one element: NumPy's line is the axis before */
        return UNPLANNED;
    }
    return DONE;
}

enum { STREAM_FROM = 24 << 20 }; /* bytes of a result that no cache would hold */

/* A large result that is not read again in its tile is made in a buffer and moved past the caches. */
static Status
stream_results(Group *group)
{
    int count = group->operand_count, micros = group->micro_count;
    for (int i = 0; i < count && stream_loop() != NULL; i++) {
        Operand *operand = &group->operands[i];
        bool large = operand->kept && operand->code == OPERAND_TILE
                     && group->size * operand->itemsize >= STREAM_FROM
                     && group->mode != COLUMNS;
        const Micro *maker = large ? &group->micros[operand->last] : NULL;
        if (!large || maker->args[maker->count - 1] != i || operand->last >= micros) {
            continue;
        }
        Operand kept = *operand;
        kept.reg = -1;
        int made = group_new(group, OPERAND_FLAT, -1, kept.type, kept.itemsize);
        Micro *micro = made < 0 ? NULL : group_micro(group, MICRO_FULL);
        if (micro == NULL) {
            return FAILED;
        }
        operand = &group->operands[i];
        operand->kept = false;
        operand->base = -1;
        operand->last = (short)(group->micro_count - 1);
        group->operands[made].kept = true;
        group->operands[made].base = kept.base;
        group->operands[made].offset = kept.offset;
        group->operands[made].last = operand->last;
        micro->count = 2;
        micro->args[0] = (short)i;
        micro->args[1] = (short)made;
        micro->function = stream_loop();
        micro->bytes = (uint8_t)kept.itemsize;
        micro->exact = EXACT;
        group->streams = true;
    }
    return DONE;
}

/* Results that are kept are written where they stay. */
static void
point_at_results(Group *group)
{
    for (int i = 0; i < group->operand_count; i++) {
        Operand *operand = &group->operands[i];
        if (operand->kept && operand->code == OPERAND_TILE) {
            operand->code = OPERAND_FLAT;
        }
        if (operand->kept && operand->code == OPERAND_ROW) {
            operand->code = OPERAND_LANES;
            npy_intp step = operand->itemsize;
            for (int axis = group->ndim - group->inner - 1; axis >= 0; axis--) {
                operand->axes[axis] = group->dims[axis] == 1 ? 0 : step;
                step *= group->dims[axis];
            }
        }
    }
}

/* The last use of each operand, now that the order of micro-operations is known. */
static void
find_last_uses(Group *group)
{
    for (int k = 0; k < group->micro_count; k++) {
        for (int i = 0; i < group->micros[k].count; i++) {
            group->operands[group->micros[k].args[i]].last = (short)k;
        }
    }
}

Status
group_finish(Group *group)
{
    if (group->size == 0) {
        return DONE;
    }
    find_last_uses(group);
    Status status = stream_results(group);
    point_at_results(group);
    if (status == DONE) {
        status = make_lines(group);
    }
    for (int k = 0; k < group->micro_count && status == DONE; k++) {
        status = check_micro(group, &group->micros[k]);
        const Micro *micro = &group->micros[k];
        group->cost += micro->cost * (double)(micro->code == MICRO_ROW ? group->lines : group->size);
        group->cost += micro->by_line ? 5.0 * (double)group->lines : 0;
    }
    if (status == DONE) {
        status = group_cut(group);
    }
    return status == DONE ? group_place_buffers(group) : status;
}

/* Whether nothing else is in the memory that a micro-operation writes: then any order will do. */
static bool
writes_apart(const Plan *plan, const Operand *operand)
{
    if (operand->code == OPERAND_TILE || operand->code == OPERAND_ROW) {
        return true;
    }
    uint8_t base = operand->base < 0 ? BASE_OBJECT : plan->bases[operand->base].code;
    return base == BASE_NEW || base == BASE_BLOCK;
}

/* NumPy's isnan, isinf, isfinite and signbit leave out items of results that do not lie side by
   side, so their rows are taken as they are. */
static bool
is_told_of_one(const Micro *micro, const Operand *result)
{
    return micro->count == 2 && result->type == NPY_BOOL;
}

/* Bools are compared by their bytes or by their truth, which strides decide. */
static uint8_t
columns_of_elements(const Plan *plan, const Group *group, const Micro *micro)
{
    const Operand *first = &group->operands[micro->args[0]];
    const Operand *result = &group->operands[micro->args[micro->count - 1]];
    bool plain = micro->exact == EXACT && micro->bytes == 0 && first->type != NPY_BOOL
                 && !is_told_of_one(micro, result);
    return plain && writes_apart(plan, result) ? COLUMNS_IN_ORDER : NO_COLUMNS;
}

static uint8_t
columns_of_reduction(const Group *group, const Micro *micro)
{
    const Instr *instr = micro->instr;
    if (group->mode != ROWS || instr->kind != BY_LOOP) {
        return NO_COLUMNS;
    }
    switch (instr->split) {
    case SPLIT_PARTS:
        return COLUMNS_IN_ORDER;
    case SPLIT_TREE:
        return COLUMNS_REST_FIRST;
    case SPLIT_FRAGILE:
        return COLUMNS_FRAGILE;
    default:
        return NO_COLUMNS;
    }
}

void
group_find_columns(const Plan *plan, Group *group)
{
    for (int k = 0; k < group->micro_count; k++) {
        Micro *micro = &group->micros[k];
        micro->columns = micro->code == MICRO_REDUCE ? columns_of_reduction(group, micro)
                                                     : columns_of_elements(plan, group, micro);
    }
}

/* Empties a group, which keeps its room. */
void
group_clear(Group *group)
{
    Group old = *group;
    free(group->starts);
    memset(group, 0, sizeof *group);
    group->operands = old.operands;
    group->operand_room = old.operand_room;
    group->micros = old.micros;
    group->micro_room = old.micro_room;
}

void
group_free(Group *group)
{
    free(group->operands);
    free(group->micros);
    free(group->starts);
}
