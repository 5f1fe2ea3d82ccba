/* Instructions, the nodes they stand for, and calls of Python. */
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
    const struct Node *node; /* what it is a part of */
    Loop *loop;
    /* ELEMENTWISE: eager's reuse of a temporary operand, by place */
    bool reuses[2], outside[2], inplace, copies; /* inplace: always of the first operand, whatever its size */
    /* VIEW, PERMUTE, RESHAPE: out[1] is the copy that RESHAPE may have to look into */
    uint8_t item_count;
    Item *items;
    /* REDUCE, COUNT: a bit for each axis; COUNT: what is taken off the number */
    ReduceKind kind;
    SplitKind split;
    uint32_t axes;
    npy_intp less;
    bool keepdims, has_identity;
    char identity[LARGEST_ITEM];
    PyArray_ArgFunc *argfunc;
    /* ASSIGN: in[0] is the target, in[1] the value */
    bool strict;      /* the value's shape must be the target's, as a ufunc has it */
} Instr;

/* A call of Python. The objects are borrowed from the program's specification. */
typedef struct {
    short reg;           /* where the result goes */
    PyObject *callable;
    PyObject *arguments; /* tuple of templates */
    PyObject *keywords;  /* names of the last arguments, or NULL */
    PyObject *kind;      /* what the result must be */
} PythonCall;

/* What a run of instructions stands for: the call that NumPy can run instead of them. */
typedef struct Node {
    PythonCall call;
    short *reads;        /* registers in the arguments */
    int read_count;
    Instr *instrs;
    int instr_count;
} Node;

#endif
