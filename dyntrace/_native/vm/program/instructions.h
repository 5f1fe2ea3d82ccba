/* Instructions, nodes, and calls of Python.

   A node is one call of NumPy in the graph; its instructions do the same without NumPy. Read
   vm/instructions.def for the codes, program.h for segments. */
#ifndef DYNTRACE_VM_PROGRAM_INSTRUCTIONS_H
#define DYNTRACE_VM_PROGRAM_INSTRUCTIONS_H

#include "vm/loops/loops.h"

typedef enum SMALL {
#define ITEM(name, fields) ITEM_##name,
#include "vm/instructions.def"
} ItemCode;
enum { ABSENT = -1, CONSTANT = -2 };

typedef struct {
    short reg;        /* ABSENT, CONSTANT, or the register of an int */
    npy_intp value;
} Bound;

typedef struct {
    ItemCode code;
    Bound parts[3];   /* an int's value, or a slice's start, stop, step */
} Item;

typedef enum SMALL {
#define INSTRUCTION(name, least_in, most_in, least_out, most_out, words, fields) name,
#include "vm/instructions.def"
} InstrCode;
typedef enum SMALL {
#define REDUCTION(name) name,
#include "vm/instructions.def"
} ReduceKind;
typedef enum SMALL {
#define SPLIT(name) SPLIT_##name,
#include "vm/instructions.def"
} SplitKind;

struct Node;

typedef struct {
    InstrCode code;
    uint8_t nin, nout;
    short in[MAX_ARGS], out[2];
    const struct Node *node; /* the node that the instruction belongs to */
    Loop *loop;
    /* ELEMENTWISE: whether NumPy overwrites a large temporary, by operand; whether that comes
       from outside the region; whether NumPy always overwrites the first operand; whether it is
       a copy */
    bool reuses[2], outside[2], inplace, copies;
    /* VIEW, PERMUTE, RESHAPE; out[1] of RESHAPE is the copy for which the result may be a view */
    uint8_t item_count;
    Item *items;
    /* REDUCE, COUNT: `axes` has a bit for each axis; COUNT: `less` is subtracted */
    ReduceKind kind;
    SplitKind split;
    uint32_t axes;
    npy_intp less;
    bool keepdims, has_identity;
    char identity[LARGEST_ITEM];
    PyArray_ArgFunc *argfunc;
    /* ASSIGN: in[0] is the target, in[1] the value */
    bool strict;      /* no leading axes are dropped: the rule of a ufunc's `out` */
} Instr;

/* A call of Python. It borrows its objects from the program's description. */
typedef struct {
    short reg;           /* the register of the result */
    PyObject *callable;
    PyObject *arguments; /* tuple of templates */
    PyObject *keywords;  /* names of the last arguments, or NULL */
    PyObject *kind;      /* what the result must be: see calls.c */
} PythonCall;

/* The call that NumPy can run instead of a run of instructions. */
typedef struct Node {
    PythonCall call;
    short *reads;        /* registers in the arguments */
    int read_count;
    Instr *instrs;
    int instr_count;
} Node;

#endif
