/* Planner: a plan being made, and the groups that are open. */
#ifndef DYNTRACE_VM_PLAN_PLANNER_H
#define DYNTRACE_VM_PLAN_PLANNER_H

#include "vm/plan/plan.h"

enum { MAX_OPEN = 4 /* groups being formed at a time */ };

/* What a plan is made from. */
typedef struct {
    const Program *program;
    const Segment *segment;
    PyObject **objects;    /* by register */
    Plan *plan;
    short *left;           /* by register: uses still to come */
    const bool *exported;
    short open[MAX_OPEN];
    int open_count;
    Status failed;         /* why a group could not be closed */
    const Instr *instr;    /* being planned */
    const Node *fault;     /* of a group that could not be closed */
} Planner;

int planner_base(Plan *plan, BaseCode code, short reg, npy_intp size); /* -1: out of memory */
int planner_group(Planner *planner, GroupMode mode, const Value *like); /* -1: out of memory */
bool planner_fits(const Group *group, const Value *value); /* open, of the same shape and order */
Status planner_close(Planner *planner, int group);
Status planner_flush(Planner *planner); /* closes all groups */
Status planner_materialise(Planner *planner, short reg); /* makes sure it is in memory */
/* Whether a NumPy scalar is still an element of a bool array, whose byte need not be 0 or 1. */
bool planner_is_loose_truth(const Planner *planner, short reg);

#endif
