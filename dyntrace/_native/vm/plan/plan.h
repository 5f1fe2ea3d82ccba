/* Plan: what a segment does for one combination of shapes.

   Invariant: planning reads no element of an array, and running a plan's groups cannot fail. */
#ifndef DYNTRACE_VM_PLAN_PLAN_H
#define DYNTRACE_VM_PLAN_PLAN_H

#include "vm/group/group.h"
#include "vm/program/program.h"
#include "vm/program/status.h"
#include "vm/array/value.h"

typedef enum SMALL {
    BASE_OBJECT, BASE_NEW, BASE_BLOCK, BASE_SCALAR, BASE_INDEXED
} BaseCode;
enum { MAX_INDEXES = 8 };

/* An index whose value changes from call to call: it moves a base, and decides no shape. */
typedef struct {
    short reg;
    npy_intp length, stride;
} Index;

typedef struct {
    BaseCode code;
    short reg;
    npy_intp size, place; /* of a block or a scalar: where it is within the plan's scratch */
    const PyArray_Descr *descr; /* of a scalar: what it is converted to; not owned */
    npy_intp count;       /* of a scalar that is a number of elements; -1: it is an object */
    short parent;         /* of an indexed base: what the indexes move */
    uint8_t index_count;
    Index indexes[MAX_INDEXES];
} Base;

typedef enum SMALL { EXPORT_NEW, EXPORT_VIEW, EXPORT_SCALAR } ExportCode;

typedef struct {
    ExportCode code;
    short reg, base;
    npy_intp offset;
} Export;

struct Plan {
    Status status;        /* UNPLANNED is remembered, too */
    const Node *fault;    /* UNPLANNED: the node that NumPy has to run */
    bool busy, detached;
    npy_intp *key;
    int key_length, key_room;
    bool aliases;         /* a result of rows stands in several registers */
    short *left;          /* while it is made: by register, uses still to come */
    Value *values;        /* by register */
    int value_count;
    Base *bases;
    int base_count, base_room;
    Group *groups;
    int group_count, group_room;
    short *sequence;      /* groups in the order in which they run */
    int sequence_count;
    Export *exports;
    int export_count;
    short last_group;     /* runs after the flags have been looked at; -1: none */
    short undo_group;     /* puts the target back if they do not allow what was done; -1: none */
    double cost;
    npy_intp scratch;     /* bytes of buffers a thread needs */
    npy_intp buffers;     /* where they start, behind scalars and blocks */
};

/* The base that the indexes of others move. */
static inline short
plan_root(const Plan *plan, short base)
{
    while (plan->bases[base].code == BASE_INDEXED) {
        base = plan->bases[base].parent;
    }
    return base;
}

Plan *plan_new(const Program *program, const Segment *segment); /* NULL: out of memory */
bool plan_make(Plan *plan, const Program *program, const Segment *segment, PyObject **objects,
               const npy_intp *key, int length); /* false: out of memory */
void plan_free(Plan *plan);

#endif
