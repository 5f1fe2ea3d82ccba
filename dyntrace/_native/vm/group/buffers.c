/* Buffers for the results that stay in a tile.

   Invariant: two results share a buffer only if the first is read for the last time before, or by,
   the micro-operation that makes the second. Read tiles.c for who fills buffers. */
#include "vm/group/buffers.h"

#include <stdlib.h>

enum { FEW_BUFFERS = 48 };

typedef struct {
    npy_intp offset, size;
    int until; /* the last micro-operation that uses it */
} Buffer;

static npy_intp
buffer_size(const Group *group, const Operand *operand)
{
    npy_intp width = group->piece < group->line || group->line == 0 ? group->piece : group->line;
    npy_intp elements = operand->code == OPERAND_ROW ? group->tile_lines
                                                     : group->tile_lines * width;
    npy_intp size = elements * operand->itemsize;
    size += LINE_BYTES; /* NumPy's loops may take adjacent memory for overlapping */
    return (size + LINE_BYTES - 1) & ~(npy_intp)(LINE_BYTES - 1);
}

/* An operand whose last read is this micro-operation, and whose buffer the result can take; -1:
   none. A loop that is not EXACT never works in place, since some choose another algorithm then. */
static int
dying_operand(const Group *group, const Micro *micro, int number, const Operand *made)
{
    if (micro->exact != EXACT) {
        return -1;
    }
    for (int i = 0; i < micro->count; i++) {
        const Operand *operand = &group->operands[micro->args[i]];
        if (operand != made && operand->code == made->code && operand->written && !operand->kept
            && operand->last == number && operand->itemsize == made->itemsize
            && micro->code != MICRO_REDUCE) {
            return micro->args[i];
        }
    }
    return -1;
}

static npy_intp
take_buffer(Buffer *buffers, int *count, npy_intp size, int now, int until, npy_intp *end)
{
    for (int i = 0; i < *count; i++) {
        if (buffers[i].until < now && buffers[i].size == size) {
            buffers[i].until = until;
            return buffers[i].offset;
        }
    }
    buffers[*count] = (Buffer){.offset = *end, .size = size, .until = until};
    *end += size;
    return buffers[(*count)++].offset;
}

Status
buffers_place(Group *group)
{
    Buffer few[FEW_BUFFERS], *buffers = few;
    int count = 0;
    npy_intp end = 0;
    if (group->operand_count > FEW_BUFFERS) {
        buffers = malloc((size_t)group->operand_count * sizeof *buffers);
        if (buffers == NULL) {
            return FAILED;
        }
    }
    for (int k = 0; k < group->micro_count; k++) {
        const Micro *micro = &group->micros[k];
        for (int i = 0; i < micro->count; i++) {
            Operand *made = &group->operands[micro->args[i]];
            bool buffered = made->code == OPERAND_TILE || made->code == OPERAND_ROW;
            if (!buffered || !made->written || made->has_buffer) {
                continue;
            }
            int until = made->last, dying = dying_operand(group, micro, k, made);
            made->has_buffer = true;
            if (dying >= 0 && group->operands[dying].has_buffer && !group->operands[dying].given) {
                made->offset = group->operands[dying].offset;
                group->operands[dying].given = true;
                for (int b = 0; b < count; b++) {
                    if (buffers[b].offset == made->offset) {
                        buffers[b].until = until;
                    }
                }
                continue;
            }
            made->offset = take_buffer(buffers, &count, buffer_size(group, made), k, until, &end);
        }
    }
    group->scratch = end;
    if (buffers != few) {
        free(buffers);
    }
    return DONE;
}
