/* Cutting a group into tiles.

   The bytes that an element touches decide the size of a tile. What the bits depend on decides
   where a tile may begin. Invariants: no tile of a group in COLUMNS is one element wide; a group
   with an OFFSET_BOUND loop is cut at multiples of 64 elements. Read tiles.c for running tiles. */
#include "vm/group/cut.h"

#include <stdlib.h>

#include "vm/group/pairwise.h"
#include "vm/group/settings.h"

/* Bytes that a tile touches for each element: operands in memory, and the most buffers alive. */
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

/* A larger group reads its operands from memory rather than from a cache. */
enum { LARGE_ELEMENTS = 400000, LARGE_BYTES = 9600000 };

/* Elements of a tile. For small arrays the bytes of a tile stay in the first cache. For large ones
   they take part of the second, since fetching from memory pays for longer runs. */
static npy_intp
tile_elements(const Group *group)
{
    if (settings.tile > 0) {
        return settings.tile;
    }
    npy_intp bytes = bytes_per_element(group);
    bool large = group->size >= LARGE_ELEMENTS || group->size > LARGE_BYTES / bytes;
    npy_intp elements = large ? 4096 : 1024, room = large ? 320 * 1024 : 80 * 1024;
    while (elements > 256 && elements * bytes > room) {
        elements /= 2;
    }
    return elements;
}

/* Cuts lines into pieces. A piece of a group in COLUMNS is never one element wide, since NumPy adds
   a single column in another order. */
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

bool
cut_is_placed(const Group *group)
{
    for (int k = 0; k < group->micro_count; k++) {
        if (group->micros[k].code != MICRO_REDUCE && group->micros[k].exact <= OFFSET_BOUND) {
            return true;
        }
    }
    return false;
}

/* The least number of lines that hold a multiple of 64 elements. */
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
    if (cut_is_placed(group)) {
        npy_intp least = lines_of_64(group->line);
        group->tile_lines = (group->tile_lines + least - 1) / least * least;
    }
    if (group->tile_lines > group->lines) {
        group->tile_lines = group->lines > 0 ? group->lines : 1;
    }
}

/* Splits `length` elements where NumPy's pairwise sum does, until a part has at most `most`.
   Returns `count` plus the number of parts. Stores where each starts unless `starts` is NULL. */
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
    npy_intp half = pairwise_half(length, unit);
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
cut_tiles(Group *group)
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
