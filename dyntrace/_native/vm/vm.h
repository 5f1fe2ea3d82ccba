/* The virtual machine that runs graphs: its structures, and what its parts offer each other.

   program.c      the Program type, its call       parse.c, verify.c  from its Python description
   split.c        a segment, part by part          segment.c          parts of segments
   calls.c, commit.c  steps that call Python, or write
   run.c, keys.c  one run of a segment, its plan
   plan.c         instructions become groups       elementwise.c, views.c, reduce.c, assign.c  by kind
   group.c        operands, coalesced axes         cut.c              tiles and their buffers
   tiles.c        running a group tile by tile     loops.c            NumPy's loops, and some more
   layout.c       shapes and strides               scalars.c          numbers for loops
   datamem.c      memory of new arrays

   Vocabulary: a *program* is a list of steps over registers; a step is a call of Python or a
   *segment* of instructions. A segment is *planned* for the shapes at hand (the plan is kept) and
   then run: its elementwise work is done in *groups*, tile by tile, by *micro-operations*.
   Invariant: planning reads no element of an array, and running a plan cannot fail. */
#ifndef DYNTRACE_VM_H
#define DYNTRACE_VM_H

#define PY_SSIZE_T_CLEAN
#include <Python.h>
#include <fenv.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#define NPY_NO_DEPRECATED_API NPY_2_0_API_VERSION
#define NPY_TARGET_VERSION NPY_2_0_API_VERSION
#define PY_ARRAY_UNIQUE_SYMBOL dyntrace_array_api
#ifndef VM_IMPORTS_ARRAY
#define NO_IMPORT_ARRAY
#endif
#include <numpy/arrayobject.h>
#include <numpy/arrayscalars.h>
#include <numpy/dtype_api.h>

enum {
#define LIMIT(name, value) name = value,
#include "vm/instructions.def"
    MAX_OPEN = 4,     /* groups being formed at a time */
    PLANS_KEPT = 4,
    LARGEST_ITEM = 32, /* bytes of an element that loops work on */
    LINE_BYTES = 64,
    SMALL_SCRATCH = 1 << 16, /* bytes that each thread keeps */
};

/* Why a call ends without a result. The original instructions run: REPLAY, nothing more is known;
   MISFIT, shapes or indexes do not fit; FLAGGED, a floating-point flag is up. UNPLANNED: nothing has
   been done, and NumPy has to run a node.
   FAILED: an exception is set, or memory is short. */
typedef enum { DONE, REPLAY, MISFIT, FLAGGED, UNPLANNED, FAILED } Status;

/* Loops ------------------------------------------------------------------------------------- */
/* What the bits of an element depend on, as in `exec.lower.inner_loops`: on its place in NumPy's own call of the loop;
   on how far it is from the loop's begin, by multiples of 64; on strides, too; on its operands only. */
enum Exactness {
#define EXACTNESS(name) name,
#include "vm/instructions.def"
};

typedef struct {
    PyArrayMethod_StridedLoop *function;
    PyArrayMethod_Context *context;
    NpyAuxData *auxdata;
    PyObject *capsule;      /* owns the three above where they are NumPy's */
    int nin, nout;
    PyArray_Descr *descr[MAX_ARGS];
    bool flags;             /* may set floating-point flags */
    uint8_t exact;          /* what the bits of an element depend on */
    bool clears;            /* may clear flags that were up before */
    float cost;             /* nanoseconds for an element, roughly */
} Loop;

Loop *loop_new(PyObject *description); /* NULL with an exception */
void loop_free(Loop *loop);
PyArrayMethod_StridedLoop *cast_loop(int from, int to); /* NULL: there is none */
PyArrayMethod_StridedLoop *copy_loop(npy_intp itemsize);
PyArrayMethod_StridedLoop *stream_loop(void); /* dense bytes, past the caches; NULL: there is none */
bool cast_may_flag(int from, int to);

/* Programs ---------------------------------------------------------------------------------- */
typedef struct {
    PyArray_Descr *descr; /* NULL: any object */
    int ndim;             /* -1: a NumPy scalar */
    npy_intp itemsize;
    PyObject *constant;   /* NULL: it changes from call to call */
} Register;

enum ItemCode {
#define ITEM(name) ITEM_##name,
#include "vm/instructions.def"
};
enum { ABSENT = -1, CONSTANT = -2 };

typedef struct {
    short reg;        /* ABSENT, CONSTANT, or the register of an int */
    npy_intp value;
} Bound;

typedef struct {
    uint8_t code;
    Bound parts[3];   /* an int's value, or a slice's start, stop, step */
} Item;

enum InstrCode {
#define INSTRUCTION(name, least_in, most_in, least_out, most_out, words) name,
#include "vm/instructions.def"
};
enum ReduceKind {
#define REDUCTION(name) name,
#include "vm/instructions.def"
};
enum SplitKind {
#define SPLIT(name) SPLIT_##name,
#include "vm/instructions.def"
};

struct Node;

typedef struct {
    uint8_t code;
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
    uint8_t kind, split;
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
    PyObject *names;     /* of the keywords, or NULL */
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

typedef struct Plan Plan;
typedef struct Split Split;

typedef struct {
    Instr *instrs;
    int instr_count;
    Node *nodes;       /* in the order of their instructions */
    int node_count;
    short *inputs;     /* registers it reads that come from before */
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
    bool by_nodes;     /* NumPy runs all of it: too many of its layouts could not be planned */
    const short *drops; /* registers that nobody reads behind it */
    int drop_count;
    Split **splits;    /* by node; NULL: none so far */
    Plan *plans[PLANS_KEPT];
    unsigned next_plan;
} Segment;

enum StepCode { STEP_SEGMENT, STEP_CALL, STEP_SUBMIT, STEP_JOIN, STEP_COMMIT };

typedef struct {
    uint8_t code;
    PythonCall call;
    short *drops;        /* registers that nobody reads after this step */
    int drop_count;
    Segment segment;
} ProgramStep;

typedef struct {
    PyObject_HEAD
    vectorcallfunc call;
    PyObject *describe;    /* makes the specification when the program is first called */
    PyObject *report;      /* is told of the exception if that fails; or NULL */
    PyObject *spec, *twin; /* spec: NULL before that; None if there is only the twin */
    Register *registers; /* inputs, then constants, then the others */
    ProgramStep *steps;
    PyObject *outputs;   /* template; NULL: the register `bare`, or True if there is none */
    short bare;
    short commit;        /* where NumPy leaves the commit of an effect that it prepares; -1 */
    int input_count, constant_count, register_count, step_count;
    bool calls_python;   /* so that the modes of floating-point errors matter */
    int splits;          /* how many there are */
    long long runs, twin_runs, plans_made, nodes_run;
} Program;

int parse_program(Program *program, PyObject *spec);
PyObject *program_plans(PyObject *self, PyObject *ignored); /* dump.c */
int verify_program(const Program *program);
void clear_program(Program *program);

/* Plans ------------------------------------------------------------------------------------- */
enum Where { NOWHERE, IN_BASE, IN_TILE, IN_ROW, IN_OBJECT, IN_COUNT };

/* A register while a segment is planned. */
typedef struct {
    int ndim;
    npy_intp size;
    uint8_t where;
    bool owns;           /* it owns its memory, as eager has it */
    short base;          /* IN_BASE */
    short group;         /* the group that makes it; -1: none */
    short operand;       /* IN_TILE, IN_ROW: the group's operand */
    npy_intp offset;
    npy_intp dims[MAX_NDIM], strides[MAX_NDIM]; /* the first `ndim` hold */
} Value;

/* A value without dimensions; of the arrays at its end nothing is touched. */
static inline void
clear_value(Value *value)
{
    memset(value, 0, offsetof(Value, dims));
}

static inline void
copy_value(Value *to, const Value *from)
{
    size_t size = (size_t)from->ndim * sizeof *from->dims;
    memcpy(to, from, offsetof(Value, dims));
    memcpy(to->dims, from->dims, size);
    memcpy(to->strides, from->strides, size);
}

enum BaseCode { BASE_OBJECT, BASE_NEW, BASE_BLOCK, BASE_SCALAR, BASE_INDEXED };
enum { MAX_INDEXES = 8 };

/* An index whose value changes from call to call: it moves a base, and decides no shape. */
typedef struct {
    short reg;
    npy_intp length, stride;
} Index;

typedef struct {
    uint8_t code;
    short reg;
    npy_intp size, place; /* of a block or a scalar: where it is within the plan's scratch */
    const PyArray_Descr *descr; /* of a scalar: what it is converted to; not owned */
    npy_intp count;       /* of a scalar that is a number of elements; -1: it is an object */
    short parent;         /* of an indexed base: what the indexes move */
    uint8_t index_count;
    Index indexes[MAX_INDEXES];
} Base;

enum OperandCode { OPERAND_TILE, OPERAND_FLAT, OPERAND_SCALAR, OPERAND_LINES, OPERAND_ROW,
                   OPERAND_LANES, OPERAND_TOTAL };

/* What a micro-operation reads or writes.
   TILE   a buffer of the tile's elements      ROW    a buffer of one element for each row
   FLAT   memory as dense as the group         SCALAR one element
   LINES  any strides, row by row              LANES  memory with one element for each row
   TOTAL  what a group that is not of whole rows reduces to, in its base */
typedef struct {
    uint8_t code;
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

enum MicroCode { MICRO_FULL, MICRO_ROW, MICRO_REDUCE };

/* Whether short lines can be taken column by column: not at all; elementwise, or from the left; as
   NumPy sums up fewer than eight numbers, the rest before the first; in any order, unless the
   result is zero or not a number. */
enum ColumnKind { NO_COLUMNS, COLUMNS_IN_ORDER, COLUMNS_REST_FIRST, COLUMNS_FRAGILE };

typedef struct {
    uint8_t code;
    bool by_line;        /* an operand has to be taken row by row */
    uint8_t bytes;       /* of an element, if the loop counts bytes; else 0 */
    uint8_t count;       /* operands */
    short args[MAX_ARGS];
    PyArrayMethod_StridedLoop *function;
    PyArrayMethod_Context *context;
    NpyAuxData *auxdata;
    const Instr *instr;  /* it was made for */
    uint8_t exact;
    uint8_t columns;
    bool clears;
    float cost;
} Micro;

/* LINEAR  elements in memory order        ROWS    whole rows, with reductions along them
   COLUMNS blocks of columns, rows added   TREE    subtrees of a pairwise sum
   PARTS   one tile after another, in independent parts */
enum GroupMode { LINEAR, ROWS, COLUMNS, TREE, PARTS };

typedef struct {
    uint8_t mode;
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

enum ExportCode { EXPORT_NEW, EXPORT_VIEW, EXPORT_SCALAR, EXPORT_OBJECT };

typedef struct {
    uint8_t code;
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

Plan *plan_new(const Program *program, const Segment *segment); /* NULL: out of memory */
bool plan_make(Plan *plan, const Program *program, const Segment *segment, PyObject **objects,
               const npy_intp *key, int length); /* false: out of memory */
void plan_free(Plan *plan);
Status plan_flush(Planner *planner);
Status plan_close(Planner *planner, int group);
Status plan_materialise(Planner *planner, short reg); /* makes sure it is in memory */
int plan_base(Plan *plan, uint8_t code, short reg, npy_intp size); /* -1: out of memory */
int plan_group(Planner *planner, uint8_t mode, const Value *like); /* -1 */
bool plan_fits(const Group *group, const Value *value); /* same shape and order */
bool is_loose_truth(const Planner *planner, short reg);
Status plan_elementwise(Planner *planner, const Instr *instr);
Status plan_view(Planner *planner, const Instr *instr);
short plan_root(const Plan *plan, short base); /* the base that the indexes of others move */
Status views_run(const Program *program, const Segment *segment, PyObject **objects, const Node **fault);
void load_value(PyArrayObject *array, Value *value);
PyObject *view_of(PyArrayObject *owner, const Value *value, char *address);
Status plan_reduce(Planner *planner, const Instr *instr);
Status plan_assign(Planner *planner, const Instr *instr);
/* Whether it can be written without a warning: results of np.broadcast_arrays warn at the first write
   (bit 31, NumPy's WARN_ON_WRITE, which its headers leave out). */
static inline bool
is_writeable(const PyArrayObject *array)
{
    return (PyArray_FLAGS(array) & (NPY_ARRAY_WRITEABLE | (int)(1u << 31))) == NPY_ARRAY_WRITEABLE;
}

bool may_be_mapped_twice(PyArrayObject *one, PyArrayObject *other);
/* Whether NumPy would assign within one axis without a temporary, reading what it has written. */
bool is_read_while_written(int ndim, const npy_intp *strides, int source_ndim,
                           const npy_intp *source_strides);
bool arrays_meet(PyArrayObject *one, PyArrayObject *other); /* their address ranges do */
bool store_object(const PyArray_Descr *descr, PyObject *object, char *to);
bool store_scalar(const Base *base, PyObject *object, char *to);

/* group.c */
int group_external(Planner *planner, Group *group, short reg, const Value *value, bool rows);
int group_scalar(Planner *planner, Group *group, short reg, const PyArray_Descr *descr);
int group_new(Group *group, uint8_t code, short reg, int type, npy_intp itemsize);
int group_cast(Group *group, int operand, int type);
Micro *group_micro(Group *group, uint8_t code);
Micro *group_move(Group *group, int from, int to, PyArrayMethod_StridedLoop *move); /* or NULL */
Status group_finish(Group *group);
void group_find_columns(const Plan *plan, Group *group);
Status group_cut(Group *group);
Status group_place_buffers(Group *group);
bool group_is_placed(const Group *group);
bool group_has_rows(Group *group); /* its inner axes coalesce into one */
void group_clear(Group *group);
void group_free(Group *group);

/* layout.c */
bool broadcast_dims(int *ndim, npy_intp *dims, int other_ndim, const npy_intp *other);
npy_intp dims_size(int ndim, const npy_intp *dims);
npy_intp scaled(npy_intp stride, npy_intp factor);
void dense_strides(int ndim, const npy_intp *dims, npy_intp itemsize, npy_intp *strides);
bool is_dense(int ndim, const npy_intp *dims, const npy_intp *strides, npy_intp itemsize);
bool is_dense_in_order(int ndim, const npy_intp *dims, const npy_intp *strides, npy_intp itemsize);
void keep_order(int ndim, const npy_intp *dims, int count, const Value *const *operands,
                const npy_intp *itemsizes, bool simply, npy_intp *strides);
void copy_order(const Value *value, npy_intp source_itemsize, npy_intp itemsize, npy_intp *strides);
/* The strides of a view of another shape; false: NumPy would copy. */
bool reshaped_strides(const Value *value, npy_intp itemsize, int ndim, const npy_intp *dims,
                      npy_intp *strides);
void scale_strides(int ndim, const npy_intp *strides, npy_intp from, npy_intp to, npy_intp *out);
bool same_dims(int ndim, const npy_intp *one, int other_ndim, const npy_intp *other);
bool holds_twice(int ndim, const npy_intp *dims, const npy_intp *strides, npy_intp itemsize);
void extent_of(int ndim, const npy_intp *dims, const npy_intp *strides, npy_intp itemsize,
               npy_intp *low, npy_intp *high);

/* keys.c */
enum { KEY_ROOM = 512 }; /* that a call has on the stack */
Status key_make(const Program *program, const Segment *segment, PyObject **objects, npy_intp *key,
                int *length, const Node **fault);
Plan *key_find(Segment *segment, const npy_intp *key, int length);
Plan *key_spare(const Program *program, Segment *segment); /* NULL: out of memory */

/* datamem.c */
/* A new array of an exact number type; `strides` NULL: in C order. Its elements are undefined. */
PyObject *datamem_array(PyArray_Descr *descr, const Value *value, const npy_intp *strides);
int datamem_init(void);

/* tiles.c, run.c */
/* The floating-point flags that were up in between and have been cleared by a loop. */
int group_run(const Group *group, char *const *bases, char *buffers, npy_intp threads);
void group_combine(const Group *group, char *const *bases);
bool is_robust(const char *total, int type); /* neither zero nor not a number; for SPLIT_FRAGILE */
bool is_interrupted(PyThreadState *thread);
/* `fault`, if it is UNPLANNED: the node that NumPy has to run. */
Status run_segment(Program *program, Segment *segment, PyObject **objects, const Node **fault);
enum { FLAGS = FE_DIVBYZERO | FE_OVERFLOW | FE_UNDERFLOW | FE_INVALID };

/* As fetestexcept(FLAGS), without a call. */
static inline int
raised_flags(void)
{
#if defined(__x86_64__) && defined(__GNUC__)
    unsigned short word;
    unsigned control;
    __asm__ volatile("fnstsw %0" : "=a"(word));
    __asm__ volatile("stmxcsr %0" : "=m"(control));
    return (word | (int)control) & FLAGS;
#else
    return fetestexcept(FLAGS);
#endif
}

/* split.c */
/* Where a part has no plan, NumPy runs a node, and the machine goes on behind it. */
Status split_run(Program *program, Segment *segment, PyObject **objects);
void split_free(Split *split);

/* segment.c */
/* What follows from a segment's instructions and exports; false: too much, or memory is short. */
bool segment_count(const Program *program, Segment *segment);
bool segment_complete(const Program *program, Segment *part, const bool *wanted);
void segment_clear(Segment *segment); /* but for instructions and nodes */
const Node *segment_reader(const Segment *segment, short reg); /* else the first node */
const Node *segment_maker(const Segment *segment, short reg);
void segment_mark_reads(const Node *nodes, int count, bool *marks);

/* calls.c */
enum TemplateCode {
#define TEMPLATE(name) TEMPLATE_##name,
#include "vm/instructions.def"
};
Status call_step(const Program *program, const ProgramStep *step, PyObject **objects, PyObject **jobs);
Status call_run(const Program *program, const PythonCall *call, PyObject **objects);
PyObject *build(PyObject *template, PyObject **objects, PyObject *known);
int templates_registers(PyObject *templates, int register_count, short **regs); /* templates.c */
bool is_array_of(PyObject *value, int type_num, int ndim);
int calls_init(void);

/* commit.c */
extern PyTypeObject Commit_Type;
Status commit_step(const Program *program, const ProgramStep *step, PyObject **objects);
void drain_jobs(PyObject *jobs); /* keeps a pending exception */

extern npy_intp vm_tile;         /* elements of a tile, forced; 0: by working set */
extern double vm_threads_from;   /* nanoseconds of work from which threads are woken */
extern bool vm_threads_forced;   /* whether that was set from outside */
#ifndef DYNTRACE_NATIVE_H
extern PyTypeObject Program_Type;
int vm_init(void);
#endif
int run_init(void);

#endif
