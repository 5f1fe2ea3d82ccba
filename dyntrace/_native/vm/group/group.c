/* Groups: adding operands and micro-operations to a group that is open.

   Invariant: a group casts an operand to a dtype once, and reads the cast where it is needed again.
   Read plan/elementwise.c and plan/reduce.c for who adds, finish.c for closing a group. */
#include "vm/group/group.h"

#include <stdlib.h>

Operand *
group_operand(Group *group)
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
group_new(Group *group, OperandCode code, short reg, int type, npy_intp itemsize)
{
    Operand *operand = group_operand(group);
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
group_micro(Group *group, MicroCode code)
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

/* Adds a copy or a cast of all elements. */
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

/* The operand that holds `source` cast to the dtype; added if the group has none. */
int
group_cast(Group *group, int source, int type)
{
    PyArrayMethod_StridedLoop *function = loop_cast(group->operands[source].type, type);
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
