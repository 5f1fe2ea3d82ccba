/* Group: instructions that run tile by tile, without an array in memory between them. */
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
   TOTAL  what a group that is not of whole rows reduces to, in its base */
typedef struct {
    OperandCode code;
    bool written, kept;  /* kept: what it holds is needed after the group */
    bool has_buffer, given; /* its buffer: there is one, it has gone to another */
    short reg;           /* the register; of a cast's result, the source's */
    short base;
    short last;          /* the last micro-operation that uses it */
    int type;
    npy_intp itemsize;
    npy_intp offset;     /* in its base, or of its buffer in the scratch */
    npy_intp axes[MAX_NDIM];    /* strides in the group's axes, before they are coalesced */
    npy_intp strides[MAX_NDIM]; /* after; the first `ndim` of the group hold in both */
} Operand;

typedef enum SMALL { MICRO_FULL, MICRO_ROW, MICRO_REDUCE } MicroCode;

/* Whether short lines can be taken column by column: not at all; elementwise, or from the left; as
   NumPy sums up fewer than eight numbers, the rest before the first; in any order, unless the
   result is zero or not a number. */
typedef enum SMALL {
    NO_COLUMNS, COLUMNS_IN_ORDER, COLUMNS_REST_FIRST, COLUMNS_FRAGILE
} ColumnKind;

typedef struct {
    MicroCode code;
    bool by_line;        /* an operand has to be taken row by row */
    uint8_t bytes;       /* of an element, if the loop counts bytes; else 0 */
    uint8_t count;       /* operands */
    short args[MAX_ARGS];
    PyArrayMethod_StridedLoop *function;
    PyArrayMethod_Context *context;
    NpyAuxData *auxdata;
    const Instr *instr;  /* it was made for */
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
    npy_intp order[MAX_NDIM];   /* strides of a dense array in the group's memory order, by 1 */
    int inner;                  /* ROWS, COLUMNS: how many trailing axes are a line */
    uint32_t reduced;           /* COLUMNS: a bit for each axis that is added up */
    int unit;                   /* TREE: numbers in an element, 2 for complex ones */
    npy_intp size;
    Operand *operands;
    int operand_count, operand_room;
    Micro *micros;
    int micro_count, micro_room;
    /* after closing */
    int rank;
    npy_intp extents[MAX_NDIM]; /* coalesced, slowest first */
    npy_intp line, lines;       /* elements of a line; lines in all */
    npy_intp blocks;            /* COLUMNS: how many runs of reduced lines there are */
    npy_intp tile_lines, piece; /* a tile: lines, and elements of each */
    npy_intp pieces;            /* of a line */
    npy_intp tile_count;
    npy_intp *starts;           /* TREE: where each leaf starts; one more than there are */
    npy_intp parts;             /* PARTS: independent chains */
    short partials;             /* TREE, PARTS: the base of the partial results */
    npy_intp scratch;           /* bytes of buffers a thread needs */
    double cost;                /* nanoseconds, estimated */
    bool streams;               /* results go past the caches */
    const Instr *instr;         /* being planned */
    const Node *fault;          /* the one that keeps it from being run */
} Group;

/* Each gives the number of an operand; -1: out of memory. */
int group_new(Group *group, OperandCode code, short reg, int type, npy_intp itemsize);
int group_cast(Group *group, int operand, int type);
Operand *group_operand(Group *group); /* with every field zero; NULL: out of memory */
Micro *group_micro(Group *group, MicroCode code);
Micro *group_move(Group *group, int from, int to, PyArrayMethod_StridedLoop *move); /* or NULL */
void group_clear(Group *group); /* it keeps its room */
void group_free(Group *group);

#endif
