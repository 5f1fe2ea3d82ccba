/* Group: micro-operations that run tile by tile, so that results between them stay in buffers. */
#ifndef DYNTRACE_VM_GROUP_GROUP_H
#define DYNTRACE_VM_GROUP_GROUP_H

#include "vm/program/instructions.h"

typedef enum SMALL {
    OPERAND_TILE, OPERAND_FLAT, OPERAND_SCALAR, OPERAND_LINES, OPERAND_ROW, OPERAND_LANES,
    OPERAND_TOTAL
} OperandCode;

/* What a micro-operation reads or writes.
   TILE   a buffer of the tile's elements      ROW    a buffer of one element for each row
   FLAT   memory as dense as the group         SCALAR one element
   LINES  any strides, row by row              LANES  memory with one element for each row
   TOTAL  the result of a reduction in COLUMNS, TREE or PARTS, in memory */
typedef struct {
    OperandCode code;
    bool written, kept;  /* the group makes it; it is read after the group */
    bool has_buffer, given; /* it has a buffer; a later result took the buffer */
    short reg;           /* the register it stands for; -1: none */
    short base;
    short last;          /* the last micro-operation that uses it */
    int type;
    npy_intp itemsize;
    npy_intp offset;     /* in its base, or of its buffer in the scratch */
    npy_intp axes[MAX_NDIM];    /* strides along the group's axes */
    npy_intp strides[MAX_NDIM]; /* strides along the coalesced axes */
} Operand;

typedef enum SMALL { MICRO_FULL, MICRO_ROW, MICRO_REDUCE } MicroCode;

/* How short lines may run column by column.
   NO_COLUMNS          not at all
   COLUMNS_IN_ORDER    elementwise, or a reduction from left to right
   COLUMNS_REST_FIRST  as NumPy sums fewer than 8 numbers: the first is added to the sum of the rest
   COLUMNS_FRAGILE     a minimum or maximum, in any order unless the result is zero or NaN */
typedef enum SMALL {
    NO_COLUMNS, COLUMNS_IN_ORDER, COLUMNS_REST_FIRST, COLUMNS_FRAGILE
} ColumnKind;

typedef struct {
    MicroCode code;
    bool by_line;        /* an operand is not dense, so each line needs a call of the loop */
    uint8_t bytes;       /* bytes of an element if the loop counts bytes, else 0 */
    uint8_t count;       /* number of operands */
    short args[MAX_ARGS];
    PyArrayMethod_StridedLoop *function;
    PyArrayMethod_Context *context;
    NpyAuxData *auxdata;
    const Instr *instr;  /* the instruction it was made for */
    Exactness exact;
    ColumnKind columns;
    bool clears;
    float cost;
} Micro;

/* LINEAR  elements in memory order        ROWS    whole rows, with reductions along them
   COLUMNS blocks of columns, rows added   TREE    subtrees of a pairwise sum
   PARTS   one tile after another, in independent parts */
typedef enum SMALL { LINEAR, ROWS, COLUMNS, TREE, PARTS } GroupMode;

typedef struct {
    GroupMode mode;
    bool open;
    int ndim;
    npy_intp dims[MAX_NDIM];
    npy_intp order[MAX_NDIM];   /* the memory order: strides of a dense array of 1-byte items */
    int inner;                  /* ROWS, COLUMNS: the number of trailing axes that make a line */
    uint32_t reduced;           /* COLUMNS: a bit for each reduced axis */
    int unit;                   /* TREE: numbers in an element, 2 if complex */
    npy_intp size;
    Operand *operands;
    int operand_count, operand_room;
    Micro *micros;
    int micro_count, micro_room;
    /* finish.c and cut.c set the rest when the group is closed */
    int rank;
    npy_intp extents[MAX_NDIM]; /* coalesced, slowest first */
    npy_intp line, lines;       /* elements of a line; lines in all */
    npy_intp blocks;            /* COLUMNS: runs of lines, each reduced to one line */
    npy_intp tile_lines, piece; /* lines of a tile; elements of each of them */
    npy_intp pieces;            /* pieces of a line */
    npy_intp tile_count;
    npy_intp *starts;           /* TREE: where each leaf starts, and where the last ends */
    npy_intp parts;             /* PARTS: independent chains */
    short partials;             /* TREE, PARTS: the base of the partial results */
    npy_intp scratch;           /* bytes of buffers that each thread needs */
    double cost;                /* estimated nanoseconds */
    bool streams;               /* it writes results past the caches */
    const Instr *instr;         /* the instruction being planned */
    const Node *fault;          /* the node for which the group cannot run */
} Group;

/* Both return the number of an operand; -1: out of memory. */
int group_new(Group *group, OperandCode code, short reg, int type, npy_intp itemsize);
int group_cast(Group *group, int operand, int type);
Operand *group_operand(Group *group); /* with every field zero; NULL: out of memory */
Micro *group_micro(Group *group, MicroCode code);
/* NULL: out of memory, or an argument is missing. */
Micro *group_move(Group *group, int from, int to, PyArrayMethod_StridedLoop *move);
void group_clear(Group *group); /* keeps its memory */
void group_free(Group *group);

#endif
