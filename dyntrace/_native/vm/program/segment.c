/* Segments: facts derived from their instructions and exports, and parts of segments.

   A part borrows a run of instructions from another segment, and has inputs, exports and plans of
   its own. Invariant: a part exports each register that a later part reads or the whole exports.
   Read vm/split.c for who divides a segment. */
#include "vm/program/segment.h"

#include <stdlib.h>

static bool
is_view(const Instr *instr)
{
    switch (instr->code) {
    case VIEW:
    case PERMUTE:
    case RESHAPE:
        return true;
    case ELEMENTWISE:
    case COUNT:
    case REDUCE:
    case ASSIGN:
        break;
    }
    return false;
}

bool
segment_count(const Program *program, Segment *segment)
{
    size_t room = (size_t)program->register_count + 1;
    segment->uses = calloc(room, sizeof *segment->uses);
    segment->exported = calloc(room, sizeof *segment->exported);
    if (segment->uses == NULL || segment->exported == NULL) {
        return false;
    }
    segment->views_only = true;
    for (int i = 0; i < segment->instr_count; i++) {
        const Instr *instr = &segment->instrs[i];
        segment->views_only &= is_view(instr);
        for (int k = 0; k < instr->nin; k++) {
            if (segment->uses[instr->in[k]]++ == INT16_MAX) {
                return false;
            }
        }
    }
    for (int i = 0; i < segment->export_count; i++) {
        segment->exported[segment->exports[i]] = true;
    }
    segment->key_room = segment->key_count;
    for (int i = 0; i < segment->input_count; i++) {
        int ndim = program->registers[segment->inputs[i]].ndim;
        segment->key_room += ndim < 0 ? 0 : 2 * ndim + 1;
    }
    return true;
}

void
segment_clear(Segment *segment)
{
    free(segment->uses);
    free(segment->exported);
    free(segment->inputs);
    free(segment->exports);
    free(segment->keys);
}

const Node *
segment_reader(const Segment *segment, short reg)
{
    for (int i = 0; i < segment->instr_count; i++) {
        const Instr *instr = &segment->instrs[i];
        for (int k = 0; k < instr->nin; k++) {
            if (instr->in[k] == reg) {
                return instr->node;
            }
        }
    }
    return segment->nodes;
}

const Node *
segment_maker(const Segment *segment, short reg)
{
    for (int i = 0; i < segment->instr_count; i++) {
        const Instr *instr = &segment->instrs[i];
        for (int k = 0; k < instr->nout; k++) {
            if (instr->out[k] == reg) {
                return instr->node;
            }
        }
    }
    return segment->nodes;
}

/* Parts ------------------------------------------------------------------------------------- */
void
segment_mark_reads(const Node *nodes, int count, bool *marks)
{
    for (int i = 0; i < count; i++) {
        for (int k = 0; k < nodes[i].read_count; k++) {
            marks[nodes[i].reads[k]] = true;
        }
        for (int j = 0; j < nodes[i].instr_count; j++) {
            const Instr *instr = &nodes[i].instrs[j];
            for (int k = 0; k < instr->nin; k++) {
                marks[instr->in[k]] = true;
            }
            for (int k = 0; k < 3 * instr->item_count; k++) {
                short reg = instr->items[k / 3].parts[k % 3].reg;
                if (reg >= 0) {
                    marks[reg] = true;
                }
            }
        }
    }
}

static void
mark_made(const Segment *part, bool *marks)
{
    for (int i = 0; i < part->instr_count; i++) {
        for (int k = 0; k < part->instrs[i].nout; k++) {
            marks[part->instrs[i].out[k]] = true;
        }
    }
}

/* Marks the registers that the part reads and does not make, and the ints that decide shapes. An
   index decides no shape. */
static void
find_inputs(Segment *part, const bool *made, bool *inputs, bool *keys)
{
    for (int i = 0; i < part->instr_count; i++) {
        const Instr *instr = &part->instrs[i];
        for (int k = 0; k < instr->nin; k++) {
            inputs[instr->in[k]] |= !made[instr->in[k]];
        }
        for (int k = 0; k < 3 * instr->item_count; k++) {
            const Item *item = &instr->items[k / 3];
            short reg = item->parts[k % 3].reg;
            if (reg >= 0 && (instr->code == RESHAPE || item->code != ITEM_INT)) {
                keys[reg] = true;
            }
        }
    }
}

static short *
list_of(const bool *marks, int register_count, int *count)
{
    *count = 0;
    for (int reg = 0; reg < register_count; reg++) {
        *count += marks[reg];
    }
    short *list = calloc((size_t)*count + 1, sizeof *list);
    for (int reg = 0, place = 0; reg < register_count && list != NULL; reg++) {
        if (marks[reg]) {
            list[place++] = (short)reg;
        }
    }
    return list;
}

/* Derives the facts of a part from its instructions and nodes. The part exports the registers in
   `wanted` that it makes. */
bool
segment_complete(const Program *program, Segment *part, const bool *wanted)
{
    int register_count = program->register_count;
    size_t room = (size_t)register_count + 1;
    bool *marks = calloc(4 * room, sizeof *marks), *made = marks;
    if (marks == NULL) {
        return false;
    }
    bool *inputs = marks + room, *keys = inputs + room, *exports = keys + room;
    mark_made(part, made);
    find_inputs(part, made, inputs, keys);
    for (int reg = 0; reg < register_count; reg++) {
        exports[reg] = made[reg] && wanted[reg];
    }
    part->inputs = list_of(inputs, register_count, &part->input_count);
    part->keys = list_of(keys, register_count, &part->key_count);
    part->exports = list_of(exports, register_count, &part->export_count);
    free(marks);
    return part->inputs != NULL && part->keys != NULL && part->exports != NULL
           && segment_count(program, part);
}
