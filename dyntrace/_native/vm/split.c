/* Splitting a segment whose layout cannot be planned: the part before a node, the node, the rest.

   NumPy runs the node, and the machine runs the parts. The layout decides which node is at fault,
   so a segment keeps one split for each node. A part has plans of its own and may be split again.
   Invariants: no node runs twice in a call; a node's call sees its operands as eager does, and a
   register is released where eager releases its object; a program has at most MOST_SPLITS splits
   whose parts are planned, and NumPy runs the parts of further ones node by node. Read run.c for
   parts that are planned, program/segment.c for how a part is made. */
#include "cpython/frame_py3xx.h"

#include "vm/split.h"

#include <stdlib.h>

#include "vm/calls.h"
#include "vm/floating.h"
#include "vm/plan/plan.h"
#include "vm/program/segment.h"
#include "vm/run.h"

enum { MOST_SPLITS = 32 };

struct Split {
    Segment before, behind;
    const Node *node;
    short *drops; /* registers to release: after `before`, after the node, after `behind` */
    int before_drops, node_drops;
};

static void free_split(Split *split);

void
split_clear(Segment *segment)
{
    for (int i = 0; i < PLANS_KEPT; i++) {
        plan_free(segment->plans[i]);
    }
    for (int i = 0; segment->splits != NULL && i < segment->node_count; i++) {
        free_split(segment->splits[i]);
    }
    free(segment->splits);
}

static void
free_split(Split *split)
{
    if (split != NULL) {
        split_clear(&split->before);
        split_clear(&split->behind);
        segment_clear(&split->before);
        segment_clear(&split->behind);
        free(split->drops);
        free(split);
    }
}

static void
take_part(Segment *part, const Segment *whole, int first, int count)
{
    part->nodes = whole->nodes + first;
    part->node_count = count;
    part->instrs = count > 0 ? part->nodes->instrs : NULL;
    for (int i = 0; i < count; i++) {
        part->instr_count += part->nodes[i].instr_count;
    }
    part->flags = whole->flags;
    part->target = -1;
}

/* Sorts the registers that the whole releases by the part that reads them last. */
static bool
sort_drops(Split *split, const Segment *whole, const bool *by_node, const bool *behind)
{
    int count = whole->drop_count, place = 0;
    split->drops = calloc((size_t)count + 1, sizeof *split->drops);
    if (split->drops == NULL) {
        return false;
    }
    for (int part = 0; part < 3; part++) {
        for (int i = 0; i < count; i++) {
            short reg = whole->drops[i];
            int last = behind[reg] ? 2 : by_node[reg] ? 1 : 0;
            if (last == part) {
                split->drops[place++] = reg;
            }
        }
        split->before_drops = part == 0 ? place : split->before_drops;
        split->node_drops = part == 1 ? place - split->before_drops : split->node_drops;
    }
    int first = split->before_drops, rest = first + split->node_drops;
    split->before.drops = split->drops;
    split->before.drop_count = first;
    split->behind.drops = split->drops + rest;
    split->behind.drop_count = count - rest;
    return true;
}

/* Divides the whole at the node `place`; false: out of memory. */
static bool
fill(Split *split, const Program *program, const Segment *whole, int place)
{
    int count = program->register_count;
    bool *marks = calloc(2 * (size_t)count + 2, sizeof *marks), *behind = marks + count + 1;
    if (marks == NULL) {
        return false;
    }
    take_part(&split->before, whole, 0, place);
    take_part(&split->behind, whole, place + 1, whole->node_count - place - 1);
    split->behind.target = split->behind.instr_count > 0 ? whole->target : -1;
    split->node = &whole->nodes[place];
    segment_mark_reads(split->node, 1, marks);
    segment_mark_reads(split->behind.nodes, split->behind.node_count, behind);
    bool done = sort_drops(split, whole, marks, behind)
                && segment_complete(program, &split->behind, whole->exported);
    for (int reg = 0; reg < count; reg++) {
        marks[reg] |= behind[reg] || whole->exported[reg];
    }
    done = done && segment_complete(program, &split->before, marks);
    free(marks);
    return done;
}

/* The split at the node, made when it is first needed; NULL: out of memory. */
static Split *
split_at(Program *program, Segment *segment, const Node *node)
{
    int place = (int)(node - segment->nodes);
    if (segment->splits == NULL) {
        segment->splits = calloc((size_t)segment->node_count + 1, sizeof(Split *));
        if (segment->splits == NULL) {
            return NULL;
        }
    }
    Split *split = segment->splits[place];
    if (split != NULL) {
        return split;
    }
    split = calloc(1, sizeof *split);
    if (split == NULL || !fill(split, program, segment, place)) {
        free_split(split);
        return NULL;
    }
    split->before.by_nodes = split->behind.by_nodes = program->splits++ >= MOST_SPLITS;
    segment->splits[place] = split;
    return split;
}

/* Calls NumPy for a node. NumPy raises in it where it would warn (floating.c). */
static Status
call_numpy(Program *program, const PythonCall *call, PyObject **objects)
{
    Floating state = {NULL};
    program->nodes_run++;
    if (!program->calls_python && floating_enter(&state) < 0) {
        return FAILED;
    }
    Status status = call_run(program, call, objects);
    floating_leave(&state);
    return status;
}

static void
let_go(PyObject **objects, const short *regs, int count)
{
    for (int i = 0; i < count; i++) {
        Py_CLEAR(objects[regs[i]]);
    }
}

/* REPLAY: a signal is pending, so the original instructions run, and its handler among them. */
static Status
unless_interrupted(Status status)
{
    return status == DONE && signal_is_pending(PyThreadState_Get()) ? REPLAY : status;
}

/* Runs the part before the node, and the node. */
static Status
run_until(Program *program, Split *split, PyObject **objects)
{
    Status status = DONE;
    if (split->before.instr_count > 0) {
        status = unless_interrupted(split_run(program, &split->before, objects));
    }
    let_go(objects, split->drops, split->before_drops);
    if (status == DONE) {
        status = call_numpy(program, &split->node->call, objects);
        let_go(objects, split->drops + split->before_drops, split->node_drops);
    }
    return status;
}

Status
split_run(Program *program, Segment *segment, PyObject **objects)
{
    Status status = DONE;
    while (status == DONE && segment->instr_count > 0) {
        const Node *fault = segment->nodes;
        if (!segment->by_nodes) {
            status = run_segment(program, segment, objects, &fault);
            if (status != UNPLANNED) {
                return status;
            }
        }
        Split *split = split_at(program, segment, fault);
        if (split == NULL) {
            return REPLAY;
        }
        status = run_until(program, split, objects);
        segment = &split->behind;
        if (segment->instr_count > 0) {
            status = unless_interrupted(status);
        }
    }
    return status;
}
