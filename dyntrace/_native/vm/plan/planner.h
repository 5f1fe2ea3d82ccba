/* Planner: the state of planning one segment; opens and closes groups, and gives memory. */
#ifndef DYNTRACE_VM_PLAN_PLANNER_H
#define DYNTRACE_VM_PLAN_PLANNER_H

#include "vm/plan/plan.h"

enum { MAX_OPEN = 4 /* groups that are open at a time */ };

/* What a plan is made from, and the groups that are open. */
typedef struct {
    const Program *program;
    const Segment *segment;
    PyObject **objects;    /* by register */
    Plan *plan;
    short *left;           /* by register: reads still to come */
    const bool *exported;
    short open[MAX_OPEN];
    int open_count;
    Status failed;         /* why a group could not be closed */
    const Instr *instr;    /* the one being planned */
    const Node *fault;     /* the node for which a group could not be closed */
} Planner;

int planner_base(Plan *plan, BaseCode code, short reg, npy_intp size); /* -1: out of memory */
int planner_group(Planner *planner, GroupMode mode, const Value *like); /* -1: out of memory */
/* Whether the group is open and has the value's shape and memory order. */
bool planner_fits(const Group *group, const Value *value);
Status planner_close(Planner *planner, int group);
Status planner_flush(Planner *planner); /* closes all groups */
/* Closes the group that makes the register, so that later groups find the register in memory. */
Status planner_materialise(Planner *planner, short reg);
/* Whether the register is a bool scalar read straight from a bool array. Its byte need not be 0 or
   1 there, as in a view of other memory, while NumPy's scalar holds 0 or 1. */
bool planner_is_loose_truth(const Planner *planner, short reg);

#endif
