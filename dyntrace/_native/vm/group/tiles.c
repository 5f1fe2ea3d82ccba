/* Running a group: its micro-operations, tile by tile, on the threads of the pool.

   A tile is some elements of some lines. A micro-operation whose operands are all dense in a tile
   is one call of its loop; any other is a call for each line. Invariant: nothing here allocates,
   fails, or needs the GIL. Read cut.c for the size of tiles. */
#include "vm/group/tiles.h"

#include <stdatomic.h>

#include "os/environment.h"
#include "os/pool.h"
#include "vm/group/combine.h"
#include "vm/group/pairwise.h"
#include "vm/group/settings.h"

typedef struct {
    const Group *group;
    char *const *bases;
    char *buffers;
    npy_intp first, lines;  /* the first line of the tile; the number of lines */
    npy_intp column, width; /* the first element in each line; the number of elements */
    npy_intp chain;         /* TREE: the leaf; PARTS: the part */
    bool begins;            /* the first tile of a chain, or the first lines of a block */
    int raised;             /* floating-point flags that a loop may have cleared */
} Tile;

enum {
    SHORT_LINE = 8,        /* elements */
    IN_FIRST_CACHE = 2048, /* elements that run column by column at a time */
};

/* The address of the operand's first element in a line of the tile; its stride along the line. */
static char *
line_of(const Tile *tile, const Operand *operand, npy_intp line, npy_intp *stride)
{
    const Group *group = tile->group;
    char *base = operand->base >= 0 && !operand->has_buffer ? tile->bases[operand->base] : NULL;
    npy_intp absolute = tile->first + line;
    *stride = operand->itemsize;
    switch (operand->code) {
    case OPERAND_TILE:
        return tile->buffers + operand->offset + line * tile->width * operand->itemsize;
    case OPERAND_FLAT:
        return base + operand->offset
               + (absolute * group->line + tile->column) * operand->itemsize;
    case OPERAND_ROW:
        *stride = 0;
        return tile->buffers + operand->offset + line * operand->itemsize;
    case OPERAND_LANES:
        *stride = 0;
        return base + operand->offset + absolute * (group->rank > 1 ? operand->strides[0] : 0);
    case OPERAND_LINES:
        break;
    case OPERAND_SCALAR:
    case OPERAND_TOTAL:
        *stride = 0;
        return base + operand->offset;
    }
    npy_intp offset = operand->offset;
    for (int axis = group->rank - 2; axis >= 0; axis--) {
        npy_intp length = group->extents[axis];
        if (axis == 0) {
            offset += absolute * operand->strides[0];
            break;
        }
        offset += absolute % length * operand->strides[axis];
        absolute /= length;
    }
    *stride = group->rank > 0 ? operand->strides[group->rank - 1] : 0;
    return base + offset + tile->column * *stride;
}

static void
run_at_once(const Tile *tile, const Micro *micro)
{
    char *data[MAX_ARGS];
    npy_intp strides[MAX_ARGS], count = tile->lines * tile->width;
    for (int i = 0; i < micro->count; i++) {
        data[i] = line_of(tile, &tile->group->operands[micro->args[i]], 0, &strides[i]);
    }
    count *= micro->bytes ? micro->bytes : 1;
    micro->function(micro->context, data, &count, strides, micro->auxdata);
}

static npy_intp
least(npy_intp one, npy_intp other)
{
    return one < other ? one : other;
}

/* The addresses and strides of the operands in a line, and the steps to their next lines. Returns
   for how many lines the steps hold: an operand with several outer axes has several steps. */
static npy_intp
lines_from(const Tile *tile, const Micro *micro, npy_intp line, char **data, npy_intp *strides,
           npy_intp *steps)
{
    const Group *group = tile->group;
    npy_intp run = tile->lines - line;
    if (micro->columns != NO_COLUMNS && tile->width <= SHORT_LINE) {
        run = least(run, IN_FIRST_CACHE / tile->width);
    }
    for (int i = 0; i < micro->count; i++) {
        const Operand *operand = &group->operands[micro->args[i]];
        if (operand->code == OPERAND_LINES && group->rank > 2) {
            npy_intp length = group->extents[group->rank - 2];
            run = least(run, length - (tile->first + line) % length);
        }
    }
    for (int i = 0; i < micro->count; i++) {
        const Operand *operand = &group->operands[micro->args[i]];
        npy_intp ignored;
        data[i] = line_of(tile, operand, line, &strides[i]);
        steps[i] = run > 1 ? line_of(tile, operand, line + 1, &ignored) - data[i] : 0;
    }
    return run;
}

/* Whether the lines are so short, and so many, that calls for columns are fewer and cheaper. */
static bool
pays_by_column(const Micro *micro, npy_intp width, npy_intp lines)
{
    return micro->columns != NO_COLUMNS && width <= SHORT_LINE && lines >= 4 * width;
}

static void
run_calls(const Micro *micro, char *const *data, const npy_intp *between, npy_intp calls,
          const npy_intp *strides, npy_intp count)
{
    char *copies[MAX_ARGS];
    for (npy_intp call = 0; call < calls; call++) {
        for (int i = 0; i < micro->count; i++) {
            copies[i] = data[i] + call * between[i];
        }
        micro->function(micro->context, copies, &count, strides, micro->auxdata);
    }
}

/* Calls the loop for each line, or for each column of many short lines. */
static void
run_by_line(const Tile *tile, const Micro *micro)
{
    char *data[MAX_ARGS];
    npy_intp strides[MAX_ARGS], steps[MAX_ARGS], run;
    for (npy_intp line = 0; line < tile->lines; line += run) {
        run = lines_from(tile, micro, line, data, strides, steps);
        if (pays_by_column(micro, tile->width, run)) {
            run_calls(micro, data, strides, tile->width, steps, run);
        }
        else {
            run_calls(micro, data, steps, run, strides, tile->width);
        }
    }
}

/* Runs an operation on one element for each row. */
static void
run_rows(const Tile *tile, const Micro *micro)
{
    char *data[MAX_ARGS];
    npy_intp strides[MAX_ARGS], count = tile->lines;
    for (int i = 0; i < micro->count; i++) {
        const Operand *operand = &tile->group->operands[micro->args[i]];
        data[i] = line_of(tile, operand, 0, &strides[i]);
        if (operand->code == OPERAND_ROW) {
            strides[i] = operand->itemsize;
        }
        else if (operand->code == OPERAND_LANES) {
            strides[i] = tile->group->rank > 1 ? operand->strides[0] : 0;
        }
    }
    micro->function(micro->context, data, &count, strides, micro->auxdata);
}

/* Adds `count` elements to a total, which begins as the identity or as the first of them. */
static void
reduce_line(const Micro *micro, char *total, npy_intp itemsize, char *from, npy_intp stride,
            npy_intp count, bool begins)
{
    const Instr *instr = micro->instr;
    if (instr->kind != BY_LOOP) {
        npy_intp found = 0;
        instr->argfunc(from, count, &found, NULL);
        *(npy_intp *)total = found;
        return;
    }
    if (begins && instr->has_identity) {
        memcpy(total, instr->identity, (size_t)itemsize);
    }
    else if (begins) {
        memcpy(total, from, (size_t)itemsize);
        from += stride;
        count--;
    }
    char *data[3] = {total, from, total};
    npy_intp strides[3] = {0, stride, 0};
    if (count > 0) {
        micro->function(micro->context, data, &count, strides, micro->auxdata);
    }
}

/* Reduces the lines of the tile, one after another, into the totals of its columns. */
static void
reduce_columns(const Tile *tile, const Micro *micro)
{
    const Group *group = tile->group;
    const Operand *from = &group->operands[micro->args[0]];
    const Operand *to = &group->operands[micro->args[1]];
    npy_intp per_block = group->lines / group->blocks, stride, line = 0, count = tile->width;
    char *totals = tile->bases[to->base] + to->offset
                   + (tile->first / per_block * group->line + tile->column) * to->itemsize;
    if (tile->begins && micro->instr->has_identity) {
        for (npy_intp i = 0; i < tile->width; i++) {
            memcpy(totals + i * to->itemsize, micro->instr->identity, (size_t)to->itemsize);
        }
    }
    else if (tile->begins) {
        char *first = line_of(tile, from, 0, &stride);
        for (npy_intp i = 0; i < tile->width; i++) {
            memcpy(totals + i * to->itemsize, first + i * stride, (size_t)to->itemsize);
        }
        line = 1;
    }
    for (; line < tile->lines; line++) {
        char *source = line_of(tile, from, line, &stride);
        char *data[3] = {totals, source, totals};
        npy_intp strides[3] = {to->itemsize, stride, to->itemsize};
        micro->function(micro->context, data, &count, strides, micro->auxdata);
    }
}

/* Reduces short lines column by column, each total in the order of NumPy's loop. */
static void
reduce_by_column(const Tile *tile, const Micro *micro, char *const *data, const npy_intp *strides,
                 const npy_intp *steps, npy_intp lines)
{
    const Instr *instr = micro->instr;
    npy_intp itemsize = tile->group->operands[micro->args[1]].itemsize, done = 0;
    char *total = data[1], *first = instr->has_identity ? (char *)instr->identity : data[0];
    npy_intp first_step = instr->has_identity ? 0 : steps[0];
    npy_intp rest = instr->has_identity ? 0 : 1; /* the first column after `first` */
    bool rest_first = micro->columns == COLUMNS_REST_FIRST && tile->width - rest > 1;
    char *so_far = rest_first ? data[0] + rest * strides[0] : first;
    npy_intp so_far_step = rest_first ? steps[0] : first_step;
    for (npy_intp column = rest + rest_first; column < tile->width; column++, done++) {
        char *args[3] = {so_far, data[0] + column * strides[0], total};
        npy_intp distances[3] = {so_far_step, steps[0], steps[1]};
        micro->function(micro->context, args, &lines, distances, micro->auxdata);
        so_far = total;
        so_far_step = steps[1];
    }
    if (rest_first) {
        char *args[3] = {first, total, total};
        npy_intp distances[3] = {first_step, steps[1], steps[1]};
        micro->function(micro->context, args, &lines, distances, micro->auxdata);
    }
    for (npy_intp line = 0; line < lines && done == 0; line++) { /* lines of one element */
        memcpy(total + line * steps[1], first + line * first_step, (size_t)itemsize);
    }
}

/* Whether NumPy adds a line of this width from left to right: pairwise sums need 8 numbers. */
static bool
is_sum_in_order(const Micro *micro, npy_intp width)
{
    bool pairs = PyTypeNum_ISCOMPLEX(micro->instr->loop->descr[1]->type_num);
    npy_intp rest = width - !micro->instr->has_identity;
    return micro->columns != COLUMNS_REST_FIRST || rest * (pairs ? 2 : 1) < PAIRWISE_FROM;
}

static void
reduce_rows(const Tile *tile, const Micro *micro)
{
    npy_intp itemsize = tile->group->operands[micro->args[1]].itemsize, run;
    int type = tile->group->operands[micro->args[1]].type;
    npy_intp strides[MAX_ARGS], steps[MAX_ARGS];
    char *data[MAX_ARGS];
    for (npy_intp line = 0; line < tile->lines; line += run) {
        run = lines_from(tile, micro, line, data, strides, steps);
        bool by_column =
            pays_by_column(micro, tile->width, run) && is_sum_in_order(micro, tile->width);
        if (by_column) {
            reduce_by_column(tile, micro, data, strides, steps, run);
        }
        for (npy_intp i = 0; i < run && (!by_column || micro->columns == COLUMNS_FRAGILE); i++) {
            char *total = data[1] + i * steps[1];
            if (!by_column || !combine_is_robust(total, type)) {
                reduce_line(micro, total, itemsize, data[0] + i * steps[0], strides[0],
                            tile->width, true);
            }
        }
    }
}

/* Reduces the elements of a subtree, or of a chain. A subtree starts from -0.0, the identity of
   addition: x + -0.0 == x even for x = -0.0, which 0.0 would turn into 0.0. */
static void
reduce_chain(const Tile *tile, const Micro *micro)
{
    const Group *group = tile->group;
    const Operand *from = &group->operands[micro->args[0]];
    const Operand *to = &group->operands[micro->args[1]];
    npy_intp stride;
    char *source = line_of(tile, from, 0, &stride);
    char *total = tile->bases[group->partials] + tile->chain * to->itemsize;
    if (group->mode == PARTS) {
        reduce_line(micro, total, to->itemsize, source, stride, tile->width, tile->begins);
        return;
    }
    memset(total, 0, (size_t)to->itemsize);
    for (npy_intp i = 0; i < group->unit; i++) { /* the sign bit of each number */
        total[(i + 1) * (to->itemsize / group->unit) - 1] = (char)0x80;
    }
    reduce_line(micro, total, to->itemsize, source, stride, tile->width, false);
}

static void
run_reduction(const Tile *tile, const Micro *micro)
{
    switch (tile->group->mode) {
    case ROWS:
        reduce_rows(tile, micro);
        break;
    case COLUMNS:
        reduce_columns(tile, micro);
        break;
    case TREE:
    case PARTS:
        reduce_chain(tile, micro);
        break;
    case LINEAR: /* has no reduction */
        break;
    }
}

static void
run_micros(Tile *tile)
{
    const Group *group = tile->group;
    bool cut = tile->lines > 1 && tile->width < group->line;
    for (int k = 0; k < group->micro_count; k++) {
        const Micro *micro = &group->micros[k];
        if (micro->clears) {
            tile->raised |= environment_raised();
        }
        if (micro->code == MICRO_REDUCE) {
            run_reduction(tile, micro);
        }
        else if (micro->code == MICRO_ROW) {
            run_rows(tile, micro);
        }
        else if (micro->by_line || cut) {
            run_by_line(tile, micro);
        }
        else {
            run_at_once(tile, micro);
        }
    }
}

/* Tiles by number --------------------------------------------------------------------------- */
static void
run_columns(Tile *tile, npy_intp number)
{
    const Group *group = tile->group;
    npy_intp per_block = group->lines / group->blocks, block = number / group->pieces;
    tile->column = number % group->pieces * group->piece;
    tile->width = least(group->piece, group->line - tile->column);
    for (npy_intp line = 0; line < per_block; line += group->tile_lines) {
        tile->first = block * per_block + line;
        tile->lines = least(group->tile_lines, per_block - line);
        tile->begins = line == 0;
        run_micros(tile);
    }
}

static void
run_tile(Tile *tile, npy_intp number)
{
    const Group *group = tile->group;
    if (group->mode == COLUMNS) {
        run_columns(tile, number);
        return;
    }
    if (group->mode == TREE) {
        tile->first = 0;
        tile->lines = 1;
        tile->column = group->starts[number];
        tile->width = group->starts[number + 1] - tile->column;
        tile->chain = number;
    }
    else {
        tile->first = number / group->pieces * group->tile_lines;
        tile->lines = least(group->tile_lines, group->lines - tile->first);
        tile->column = number % group->pieces * group->piece;
        tile->width = least(group->piece, group->line - tile->column);
    }
    run_micros(tile);
}

/* Jobs -------------------------------------------------------------------------------------- */
typedef struct {
    const Group *group;
    char *const *bases;
    char *buffers;
    npy_intp units, takers; /* units of work; threads that take them */
    atomic_llong next;
    atomic_int raised;
} Job;

/* Runs a unit: a tile, or in PARTS the tiles of a part in order. */
static void
run_unit(Tile *tile, npy_intp unit)
{
    const Group *group = tile->group;
    if (group->mode != PARTS) {
        tile->begins = unit == 0;
        run_tile(tile, unit);
        return;
    }
    npy_intp from = group->tile_count * unit / group->parts;
    npy_intp to = group->tile_count * (unit + 1) / group->parts;
    tile->chain = unit;
    for (npy_intp number = from; number < to; number++) {
        tile->begins = number == from;
        run_tile(tile, number);
    }
}

/* Streaming stores are weakly ordered: the fence makes them visible to other processors before the
   end of the job is announced (Intel SDM 3, "Memory Ordering"). */
static void
finish_streams(const Group *group)
{
    if (group->streams) {
        atomic_thread_fence(memory_order_seq_cst);
#if defined(__x86_64__)
        __builtin_ia32_sfence();
#endif
    }
}

/* Takes a share of the units left. Shares shrink, so a thread that loses its CPU delays little. */
static bool
take_units(Job *job, npy_intp *first, npy_intp *end)
{
    long long next = atomic_load(&job->next);
    do {
        if (next >= job->units) {
            return false;
        }
        npy_intp share = (job->units - (npy_intp)next) / (job->takers * 8);
        *first = (npy_intp)next;
        *end = *first + (share > 0 ? share : 1);
    } while (!atomic_compare_exchange_weak(&job->next, &next, *end));
    return true;
}

static Py_ssize_t
work(void *context, Py_ssize_t part)
{
    Job *job = context;
    Tile tile = {.group = job->group, .bases = job->bases,
                 .buffers = job->buffers + part * job->group->scratch};
    Py_ssize_t done = 0;
    for (npy_intp first, end; take_units(job, &first, &end); done += end - first) {
        for (npy_intp unit = first; unit < end; unit++) {
            run_unit(&tile, unit);
        }
    }
    finish_streams(job->group);
    atomic_fetch_or(&job->raised, tile.raised);
    return done;
}

int
tiles_run(const Group *group, char *const *bases, char *buffers, npy_intp threads)
{
    int raised = 0;
    if (group->size == 0) {
        return 0;
    }
    npy_intp units = group->mode == PARTS ? group->parts : group->tile_count;
    threads = least(threads, units);
    if (threads <= 1) {
        Tile tile = {.group = group, .bases = bases, .buffers = buffers};
        for (npy_intp unit = 0; unit < units; unit++) {
            run_unit(&tile, unit);
        }
        finish_streams(group);
        raised = tile.raised;
    }
    else {
        Job job = {.group = group, .bases = bases, .buffers = buffers, .units = units,
                   .takers = threads};
        pool_run(work, &job, threads, settings.threads_forced ? 0 : group->cost);
        raised = job.raised;
    }
    combine_parts(group, bases);
    return raised;
}
