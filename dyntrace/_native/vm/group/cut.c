/* Cutting a group into tiles, and giving buffers to the results that stay in one.

   The size of a tile follows from what it touches; the places where it may begin, from what bits
   depend on. A buffer is used again when what it held is not read any more.
   Invariant: no tile of columns is one wide, and a group whose bits depend on places is cut at
   multiples of 64 elements. */
#include "vm/vm.h"

#include <stdlib.h>

/* Bytes that are touched for each element of a tile: buffers alive at a time, and streams. */
static npy_intp
bytes_per_element(const Group *group)
{
    npy_intp bytes = 0;
    for (int i = 0; i < group->operand_count; i++) {
        const Operand *operand = &group->operands[i];
        if (operand->code == OPERAND_FLAT || operand->code == OPERAND_LINES) {
            bytes += operand->itemsize;
        }
    }
    npy_intp live = 0, most = 0;
    for (int k = 0; k < group->micro_count; k++) {
        for (int i = 0; i < group->operand_count; i++) {
            const Operand *operand = &group->operands[i];
            bool buffer = operand->code == OPERAND_TILE && !operand->kept;
            if (buffer && group->micros[k].args[group->micros[k].count - 1] == i) {
                live += operand->itemsize;
                most = live > most ? live : most;
            }
            live -= buffer && operand->last == k ? operand->itemsize : 0;
        }
    }
    return bytes + most > 0 ? bytes + most : 1;
}

/* A group that takes its operands from memory: by its elements, and by all that it touches. */
enum { LARGE_ELEMENTS = 400000, LARGE_BYTES = 9600000 };

/* Elements of a tile. What a tile touches stays in the first cache for small arrays; for large ones
   it takes part of the second, since fetching from memory wants longer runs. */
static npy_intp
tile_elements(const Group *group)
{
    if (vm_tile > 0) {
        return vm_tile;
    }
    npy_intp bytes = bytes_per_element(group);
    bool large = group->size >= LARGE_ELEMENTS || group->size > LARGE_BYTES / bytes;
    npy_intp elements = large ? 4096 : 1024, room = large ? 320 * 1024 : 80 * 1024;
    while (elements > 256 && elements * bytes > room) {
        elements /= 2;
    }
    return elements;
}

/* A block of columns never has a width of one, which NumPy would add up in another order. */
static void
cut_lines(Group *group, npy_intp elements)
{
    group->tile_lines = 1;
    group->piece = elements < 64 && group->mode != COLUMNS ? 64 : elements;
    group->piece = (group->piece + 63) & ~(npy_intp)63;
    if (group->mode == COLUMNS && group->line % group->piece == 1) {
        group->piece += 64;
    }
    group->pieces = (group->line + group->piece - 1) / group->piece;
    if (group->mode == COLUMNS) {
        npy_intp width = group->piece < group->line ? group->piece : group->line;
        group->tile_lines = elements / width > 1 ? elements / width : 1;
    }
}

/* Whether bits depend on how far an element is from where the loop began. */
bool
group_is_placed(const Group *group)
{
    for (int k = 0; k < group->micro_count; k++) {
        if (group->micros[k].code != MICRO_REDUCE && group->micros[k].exact <= OFFSET_BOUND) {
            return true;
        }
    }
    return false;
}

/* The least number of lines whose elements are a multiple of 64. */
static npy_intp
lines_of_64(npy_intp line)
{
    npy_intp lines = 64;
    while (lines > 1 && line % 2 == 0) {
        line /= 2;
        lines /= 2;
    }
    return lines;
}

static void
whole_lines(Group *group, npy_intp elements)
{
    group->piece = group->line;
    group->pieces = 1;
    group->tile_lines = group->line > 0 && elements / group->line > 1 ? elements / group->line : 1;
    if (group_is_placed(group)) {
        npy_intp least = lines_of_64(group->line);
        group->tile_lines = (group->tile_lines + least - 1) / least * least;
    }
    if (group->tile_lines > group->lines) {
        group->tile_lines = group->lines > 0 ? group->lines : 1;
    }
}

/* Splits at the places where NumPy's pairwise sum does. */
static npy_intp
grow_tree(npy_intp *starts, npy_intp count, npy_intp start, npy_intp length, npy_intp most,
          npy_intp unit)
{
    if (length <= most) {
        if (starts != NULL) {
            starts[count] = start;
        }
        return count + 1;
    }
    npy_intp half = length * unit / 2;
    half = (half - half % 8) / unit;
    count = grow_tree(starts, count, start, half, most, unit);
    return grow_tree(starts, count, start + half, length - half, most, unit);
}

static Status
plant_tree(Group *group, npy_intp elements)
{
    npy_intp unit = group->unit;
    npy_intp most = elements < 1024 ? 1024 : elements;
    group->tile_count = grow_tree(NULL, 0, 0, group->size, most, unit);
    group->starts = malloc(((size_t)group->tile_count + 1) * sizeof *group->starts);
    if (group->starts == NULL) {
        return FAILED;
    }
    grow_tree(group->starts, 0, 0, group->size, most, unit);
    group->starts[group->tile_count] = group->size;
    group->tile_lines = 1;
    group->piece = most;
    return DONE;
}

Status
group_cut(Group *group)
{
    npy_intp elements = tile_elements(group);
    if (group->mode == TREE) {
        return plant_tree(group, elements);
    }
    bool split = group->mode != ROWS && (group->mode == COLUMNS || group->line > 2 * elements
                                         || group->rank <= 1);
    if (split) {
        cut_lines(group, elements);
    }
    else {
        whole_lines(group, elements);
    }
    npy_intp stacks = (group->lines + group->tile_lines - 1) / group->tile_lines;
    group->tile_count = (group->mode == COLUMNS ? group->blocks : stacks) * group->pieces;
    return DONE;
}

enum { FEW_BUFFERS = 48 };

/* Buffers ----------------------------------------------------------------------------------- */
typedef struct {
    npy_intp offset, size;
    int until; /* the micro-operation after which it is free again */
} Buffer;

static npy_intp
buffer_size(const Group *group, const Operand *operand)
{
    npy_intp width = group->piece < group->line || group->line == 0 ? group->piece : group->line;
    npy_intp elements = operand->code == OPERAND_ROW ? group->tile_lines
                                                     : group->tile_lines * width;
    npy_intp size = elements * operand->itemsize;
    size += LINE_BYTES; /* memory that begins where other memory ends may pass for overlapping */
    return (size + LINE_BYTES - 1) & ~(npy_intp)(LINE_BYTES - 1);
}

/* An operand of the micro-operation that dies there and whose buffer the result can take over; but
   in place, some loops take another way to their bits. */
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
group_place_buffers(Group *group)
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
