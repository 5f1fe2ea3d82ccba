/* Program: a list of steps over registers; a step is a call of Python or a segment of instructions.

   The machine plans a segment for the shapes at hand, keeps the plan, and runs it (plan/plan.h).
   Invariant: a program that has been parsed and verified changes only its plans, splits and counts.
   Read parse.c for who makes it, verify.c for what it guarantees, vm/machine.c for who runs it. */
#ifndef DYNTRACE_VM_PROGRAM_PROGRAM_H
#define DYNTRACE_VM_PROGRAM_PROGRAM_H

#include "vm/program/instructions.h"

enum { PLANS_KEPT = 4 };

typedef struct {
    PyArray_Descr *descr; /* NULL: any object */
    int ndim;             /* -1: a NumPy scalar */
    npy_intp itemsize;
    PyObject *constant;   /* NULL: the register is no constant */
} Register;

typedef struct Plan Plan;
typedef struct Split Split;

typedef struct {
    Instr *instrs;
    int instr_count;
    Node *nodes;       /* in the order of their instructions */
    int node_count;
    short *inputs;     /* registers it reads and does not make */
    int input_count;
    short *exports;    /* registers that become objects */
    int export_count;
    short *uses;       /* by register: how often the instructions read it */
    bool *exported;    /* by register */
    short *keys;       /* int registers whose values decide shapes */
    int key_count;
    int key_room;      /* the numbers in a key */
    bool flags, views_only;
    short target;      /* the array that the trailing effect writes; -1: none */
    bool by_nodes;     /* NumPy runs each node: the program has MOST_SPLITS (split.c) */
    const short *drops; /* registers that nobody reads after the segment */
    int drop_count;
    Split **splits;    /* by node; NULL: none so far */
    Plan *plans[PLANS_KEPT];
    unsigned next_plan;
} Segment;

typedef enum SMALL {
#define STEP(name, fields) STEP_##name,
#include "vm/instructions.def"
} StepCode;

typedef struct {
    StepCode code;
    PythonCall call;     /* of a join and a commit: the register and the kind of its result */
    short array;         /* SUBMIT: another thread makes the call if this array is large */
    Py_ssize_t least_bytes;
    short target, source; /* COMMIT: the source is written into the target */
    bool strict;         /* COMMIT: their shapes must be equal */
    short *drops;        /* registers that nobody reads after this step */
    int drop_count;
    Segment segment;
} ProgramStep;

typedef struct {
    PyObject_HEAD
    vectorcallfunc call;
    PyObject *describe;    /* makes the description when the program is first called */
    PyObject *report;      /* called with the exception if that fails; or NULL */
    PyObject *spec, *twin; /* spec: the description; NULL before; None if there is only the twin */
    Register *registers; /* inputs, then constants, then the others */
    ProgramStep *steps;
    PyObject *outputs;   /* template; NULL: the register `bare`, or True if there is none */
    short bare;
    short commit;        /* the register of a commit that a node prepares; -1: none */
    int input_count, constant_count, register_count, step_count;
    bool calls_python;   /* so it needs NumPy's raising modes (floating.c) */
    int splits;          /* the number of splits, at most MOST_SPLITS of which are planned */
    long long runs, twin_runs, plans_made, nodes_run;
} Program;

/* Frees what parsing made; split_clear frees plans and splits. */
void program_clear(Program *program);

#endif
