/* Plan: what a segment does for one combination of shapes, strides and flags.

   A plan lists the memory a call needs (bases), the groups that run in it, and the registers that
   become objects (exports). Invariant: planning reads no element of an array, and the groups of a
   plan cannot fail. plan.c makes plans, keys.c finds them again, vm/run.c runs them. */
#ifndef DYNTRACE_VM_PLAN_PLAN_H
#define DYNTRACE_VM_PLAN_PLAN_H

#include "vm/group/group.h"
#include "vm/program/program.h"
#include "vm/program/status.h"
#include "vm/array/value.h"

/* Where memory comes from.
   OBJECT  the data of an array in a register   NEW      a new array, made for each call
   BLOCK   a part of the plan's scratch         INDEXED  another base, moved by indexes
   SCALAR  a part of the scratch that holds one number, converted for each call */
typedef enum SMALL {
    BASE_OBJECT, BASE_NEW, BASE_BLOCK, BASE_SCALAR, BASE_INDEXED
} BaseCode;
enum { MAX_INDEXES = 8 };

/* An index whose value changes from call to call. It moves a base and decides no shape, so it is no
   part of the plan's key. */
typedef struct {
    short reg;
    npy_intp length, stride;
} Index;

typedef struct {
    BaseCode code;
    short reg;
    npy_intp size, place; /* BLOCK, SCALAR: `place` is its offset in the scratch */
    const PyArray_Descr *descr; /* SCALAR: the dtype it is converted to; borrowed */
    npy_intp count;       /* SCALAR: the number itself; -1: the register holds an object */
    short parent;         /* INDEXED: the base that the indexes move */
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
    Status status;        /* a plan that could not be made is kept, with its status */
    const Node *fault;    /* UNPLANNED: the node that NumPy has to run */
    bool busy, detached;  /* a call uses it; no segment keeps it, so that call frees it */
    npy_intp *key;
    int key_length, key_room;
    bool aliases;         /* several registers stand for one result of rows */
    short *left;          /* by register, while the plan is made: reads still to come */
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
    short last_group;     /* runs only if the floating-point flags allow it; -1: none */
    short undo_group;     /* restores the target if the flags forbid the write; -1: none */
    double cost;
    npy_intp scratch;     /* bytes of buffers that each thread needs */
    npy_intp buffers;     /* the offset of the buffers, which follow scalars and blocks */
};

/* The base at the end of a chain of indexed bases. */
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
