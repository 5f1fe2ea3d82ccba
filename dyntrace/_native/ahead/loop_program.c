/* LoopProgram: a callable that runs the machine code of a loop, ahead of the interpreter.

   A call runs as many whole iterations as the code can do. It moves the loop's iterators on by as
   many and returns the outputs; or None for "run the original instructions", if not one iteration
   was done. Invariant: memory, outputs and iterators stand where a whole iteration ended. Machine
   code calls no Python, so nothing else runs between reading the inputs and playing the undo log
   back. Read loop_values.h for the words, undo.h for the log. */
#include "cpython/frame_py3xx.h"

#include "ahead/loop_program.h"

#include <structmember.h>

#include "ahead/items.h"
#include "ahead/loop_inputs.h"
#include "ahead/loop_outputs.h"
#include "ahead/undo.h"
#include "os/environment.h"
#include "vm/floating.h"

enum { WORDS_ON_STACK = 256, RESERVED_WORDS = 4, JUDGED_CALLS = 64, FEW_ITERATIONS = 4 };
enum { FEW_CALLS = 8, WORTH_A_CALL = 16 }; /* iterations that save what a call costs */

/* Machine code reads and writes this by the number of the 64-bit word. */
typedef struct {
    UndoEntry *undo;
    int64_t capacity;     /* of `undo`, in entries */
    int64_t count;        /* entries in use: of the iteration that is not done */
    const void *breaker;  /* a byte that is not zero while CPython has something pending */
    int64_t flags;        /* floating-point flags that NumPy would not ignore */
    const void *const *functions;
    char *scratch;
    int64_t scratch_size; /* in bytes */
    int64_t reserved[RESERVED_WORDS];
} LoopContext;

static_assert(sizeof(LoopContext) == 12 * sizeof(int64_t), "machine code counts in words");

/* 0: the loop has no further iteration; n: trouble at site n in the iteration after the last. */
typedef int64_t (*LoopCode)(const int64_t *in, int64_t *out, LoopContext *context);

typedef struct {
    LoopValue *values;
    Py_ssize_t count;
    Py_ssize_t words;
} LoopSide;

typedef struct {
    PyObject_HEAD
    vectorcallfunc call;
    LoopCode code;
    LoopSide inputs;
    LoopSide outputs;
    const void **functions;
    PyObject *owner; /* of the machine code */
    PyObject *on_useless; /* NULL or a callable */
    long long in_vain; /* calls that did no iteration, but for ends of the loop */
    long long calls;
    long long iterations;
    long long fruitless;
    long long declined;
    long long *exits; /* by site; the first one counts the ends of the loop */
    Py_ssize_t sites;
} LoopProgram;

static bool
read_inputs(const LoopProgram *program, PyObject *const *args, int64_t *words)
{
    for (Py_ssize_t i = 0; i < program->inputs.count; i++) {
        const LoopValue *value = &program->inputs.values[i];
        if (!loop_inputs_read(value, args[i], words)) {
            return false;
        }
        words += value->words;
    }
    return true;
}

static PyObject *
build_outputs(const LoopProgram *program, PyObject *const *args, int64_t *words)
{
    PyObject *built = PyTuple_New(program->outputs.count);
    for (Py_ssize_t i = 0; i < program->outputs.count && built != NULL; i++) {
        const LoopValue *value = &program->outputs.values[i];
        PyObject *item = loop_outputs_build(value, words, args, program->inputs.count, built, i);
        if (item == NULL) {
            Py_CLEAR(built);
            break;
        }
        PyTuple_SET_ITEM(built, i, item);
        words += value->words;
    }
    return built;
}

/* The iterations are done, so the original instructions cannot run instead. If there is no memory
   for the outputs, the log's megabytes are given up for them. */
static PyObject *
build_surely(const LoopProgram *program, PyObject *const *args, int64_t *words)
{
    PyObject *built = build_outputs(program, args, words);
    if (built == NULL && PyErr_ExceptionMatches(PyExc_MemoryError)) {
        PyErr_Clear();
        undo_release();
        built = build_outputs(program, args, words);
    }
    return built;
}

/* The site; -1 with an exception. Afterwards memory stands where a whole iteration ended. */
static int64_t
run_code(const LoopProgram *program, const int64_t *in, int64_t *out)
{
    int flags = floating_trouble();
    LoopContext context = {
        .undo = undo_log(),
        .capacity = UNDO_CAPACITY,
        .breaker = eval_breaker(PyThreadState_Get()),
        .flags = flags,
        .functions = program->functions,
        .scratch = undo_scratch(),
        .scratch_size = SCRATCH_BYTES,
    };
    if (flags < 0) {
        return -1;
    }
    if (context.undo == NULL || context.scratch == NULL) {
        PyErr_NoMemory();
        return -1;
    }
    out[0] = 0;
    unsigned environment = environment_clear();
    int64_t site = program->code(in, out, &context);
    environment_restore(environment);
    if (site != 0) {
        undo_play_back(context.undo, context.count);
        items_take_back();
    }
    if (site < 0 || site > program->sites || out[0] < 0) {
        PyErr_SetString(PyExc_SystemError, "the machine code of a loop returned no site of it");
        return -1;
    }
    return site;
}

/* Do calls cost as much as they save, since most of them do few iterations, or none? */
static bool
is_useless(const LoopProgram *program)
{
    bool in_vain = program->in_vain >= FEW_CALLS
                   && program->in_vain * WORTH_A_CALL > program->iterations;
    bool few = program->calls >= JUDGED_CALLS
               && program->iterations < program->calls * FEW_ITERATIONS;
    return in_vain || few;
}

/* Tells once that the loop gains nothing; -1 with the callback's exception. */
static int
report_useless(LoopProgram *program)
{
    PyObject *callback = program->on_useless;
    if (callback == NULL) {
        return 0;
    }
    program->on_useless = NULL;
    PyObject *answer = PyObject_CallNoArgs(callback);
    Py_DECREF(callback);
    Py_XDECREF(answer);
    return answer == NULL ? -1 : 0;
}

/* Runs the code on `words`, which has room for the inputs and for the outputs after them. */
static PyObject *
run_loop(LoopProgram *program, PyObject *const *args, int64_t *words)
{
    int64_t *out = words + program->inputs.words;
    if (!read_inputs(program, args, words)) {
        program->declined++;
        Py_RETURN_NONE;
    }
    int64_t site = run_code(program, words, out), iterations = out[0];
    if (site < 0) {
        return NULL;
    }
    program->calls++;
    program->exits[site]++;
    program->iterations += iterations;
    program->fruitless = iterations == 0 && site != 0 ? program->fruitless + 1 : 0;
    program->in_vain += iterations == 0 && site != 0;
    if (is_useless(program) && report_useless(program) < 0) {
        return NULL;
    }
    if (iterations == 0) {
        Py_RETURN_NONE;
    }
    for (Py_ssize_t i = 0; i < program->inputs.count; i++) {
        loop_inputs_advance(&program->inputs.values[i], args[i], iterations);
    }
    return build_surely(program, args, out + 1);
}

static PyObject *
loop_call(PyObject *self, PyObject *const *args, size_t nargsf, PyObject *names)
{
    LoopProgram *program = (LoopProgram *)self;
    if ((names != NULL && PyTuple_GET_SIZE(names) != 0)
        || PyVectorcall_NARGS(nargsf) != program->inputs.count) {
        PyErr_SetString(PyExc_TypeError, "a loop program takes its inputs by position");
        return NULL;
    }
    int64_t on_stack[WORDS_ON_STACK], *words = on_stack;
    Py_ssize_t needed = program->inputs.words + 1 + program->outputs.words;
    if (needed > WORDS_ON_STACK) {
        words = PyMem_New(int64_t, needed);
        if (words == NULL) {
            return PyErr_NoMemory();
        }
    }
    Py_INCREF(program);
    PyObject *result = run_loop(program, args, words);
    Py_DECREF(program);
    if (words != on_stack) {
        PyMem_Free(words);
    }
    return result;
}

/* LoopProgram(address, inputs, outputs, sites, functions, owner) ---------------------------- */

static int
parse_side(LoopSide *side, PyObject *codes, bool (*accept)(const LoopValue *))
{
    Py_ssize_t count = PyTuple_GET_SIZE(codes);
    side->values = PyMem_New(LoopValue, count + 1);
    if (side->values == NULL) {
        PyErr_NoMemory();
        return -1;
    }
    for (Py_ssize_t i = 0; i < count; i++) {
        LoopValue *value = &side->values[i];
        if (loop_value_parse(value, PyTuple_GET_ITEM(codes, i)) < 0) {
            return -1;
        }
        side->count++;
        side->words += value->words;
        if (!accept(value)) {
            PyErr_Format(PyExc_ValueError, "a loop has no value of code %R on this side",
                         PyTuple_GET_ITEM(codes, i));
            return -1;
        }
    }
    return 0;
}

static int
parse_functions(LoopProgram *program, PyObject *functions)
{
    Py_ssize_t count = PyTuple_GET_SIZE(functions);
    program->functions = PyMem_New(const void *, count + 1);
    if (program->functions == NULL) {
        PyErr_NoMemory();
        return -1;
    }
    for (Py_ssize_t i = 0; i < count; i++) {
        program->functions[i] = PyLong_AsVoidPtr(PyTuple_GET_ITEM(functions, i));
        if (program->functions[i] == NULL) {
            if (!PyErr_Occurred()) {
                PyErr_SetString(PyExc_ValueError, "a function of a loop has no address");
            }
            return -1;
        }
    }
    return 0;
}

static int
allocate_exits(LoopProgram *program, Py_ssize_t sites)
{
    program->exits = sites < 0 ? NULL : PyMem_Calloc((size_t)sites + 1, sizeof *program->exits);
    if (program->exits == NULL) {
        PyErr_SetString(PyExc_ValueError, "a loop has no negative number of sites, nor so many");
        return -1;
    }
    program->sites = sites;
    return 0;
}

static PyObject *
loop_new(PyTypeObject *type, PyObject *args, PyObject *keywords)
{
    PyObject *address, *inputs, *outputs, *functions, *owner;
    Py_ssize_t sites;
    static char *names[] = {"address", "inputs", "outputs", "sites", "functions", "owner", NULL};
    if (!PyArg_ParseTupleAndKeywords(args, keywords, "O!O!O!nO!O:LoopProgram", names,
                                     &PyLong_Type, &address, &PyTuple_Type, &inputs,
                                     &PyTuple_Type, &outputs, &sites, &PyTuple_Type, &functions,
                                     &owner)) {
        return NULL;
    }
    void *code = PyLong_AsVoidPtr(address);
    if (code == NULL) {
        return PyErr_Occurred() ? NULL : PyErr_Format(PyExc_ValueError, "no address of a loop");
    }
    LoopProgram *program = (LoopProgram *)type->tp_alloc(type, 0);
    if (program == NULL) {
        return NULL;
    }
    program->call = loop_call;
    program->code = (LoopCode)(uintptr_t)code;
    program->owner = Py_NewRef(owner);
    if (parse_side(&program->inputs, inputs, loop_inputs_accept) < 0
        || parse_side(&program->outputs, outputs, loop_outputs_accept) < 0
        || parse_functions(program, functions) < 0 || allocate_exits(program, sites) < 0) {
        Py_DECREF(program);
        return NULL;
    }
    return (PyObject *)program;
}

static int
loop_traverse(PyObject *self, visitproc visit, void *arg)
{
    Py_VISIT(((LoopProgram *)self)->owner);
    Py_VISIT(((LoopProgram *)self)->on_useless);
    return 0;
}

static void
clear_side(LoopSide *side)
{
    for (Py_ssize_t i = 0; i < side->count; i++) {
        loop_value_clear(&side->values[i]);
    }
    PyMem_Free(side->values);
}

/* The owner stays: without it the program could not be called any more. Another object of a cycle
   breaks the cycle. */
static int
loop_clear(PyObject *self)
{
    Py_CLEAR(((LoopProgram *)self)->on_useless);
    return 0;
}

static void
loop_dealloc(PyObject *self)
{
    LoopProgram *program = (LoopProgram *)self;
    PyObject_GC_UnTrack(self);
    clear_side(&program->inputs);
    clear_side(&program->outputs);
    PyMem_Free(program->functions);
    PyMem_Free(program->exits);
    Py_XDECREF(program->owner);
    Py_XDECREF(program->on_useless);
    Py_TYPE(self)->tp_free(self);
}

static PyObject *
get_quiet(PyObject *self, void *ignored)
{
    (void)self;
    (void)ignored;
    Py_RETURN_TRUE;
}

static int
set_on_useless(PyObject *self, PyObject *value, void *ignored)
{
    (void)ignored;
    bool none = value == NULL || value == Py_None;
    Py_XSETREF(((LoopProgram *)self)->on_useless, none ? NULL : Py_NewRef(value));
    return 0;
}

static PyObject *
get_exits(PyObject *self, void *ignored)
{
    (void)ignored;
    const LoopProgram *program = (LoopProgram *)self;
    PyObject *exits = PyTuple_New(program->sites + 1);
    for (Py_ssize_t i = 0; i <= program->sites && exits != NULL; i++) {
        PyObject *count = PyLong_FromLongLong(program->exits[i]);
        if (count == NULL) {
            Py_CLEAR(exits);
            break;
        }
        PyTuple_SET_ITEM(exits, i, count);
    }
    return exits;
}

static PyMemberDef loop_members[] = {
    {"calls", T_LONGLONG, offsetof(LoopProgram, calls), READONLY, "How often its code ran."},
    {"iterations", T_LONGLONG, offsetof(LoopProgram, iterations), READONLY,
     "How many iterations its code has done."},
    {"fruitless", T_LONGLONG, offsetof(LoopProgram, fruitless), READONLY,
     "How many calls in a row have met trouble before an iteration was done."},
    {"declined", T_LONGLONG, offsetof(LoopProgram, declined), READONLY,
     "How often its code did not run, since the inputs did not fit it."},
    {"owner", T_OBJECT, offsetof(LoopProgram, owner), READONLY, "What owns the machine code."},
    {NULL, 0, 0, 0, NULL},
};

static PyGetSetDef loop_getset[] = {
    {"exits", get_exits, NULL, "How often its code came to the loop's end, and to each site.",
     NULL},
    {"on_useless", NULL, set_on_useless,
     "Called once, without arguments, when the loop gains nothing by its calls.", NULL},
    {"quiet", get_quiet, NULL, "It looks after NumPy's floating-point modes itself.", NULL},
    {NULL, NULL, NULL, NULL, NULL},
};

PyTypeObject LoopProgram_Type = {
    PyVarObject_HEAD_INIT(NULL, 0)
    .tp_name = "dyntrace._native.LoopProgram",
    .tp_doc = "LoopProgram(address, inputs, outputs, sites, functions, owner): a loop in machine\n"
              "code. The codes of inputs and outputs stand in ahead/loop_values.h.",
    .tp_basicsize = sizeof(LoopProgram),
    .tp_flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_VECTORCALL | Py_TPFLAGS_HAVE_GC,
    .tp_vectorcall_offset = offsetof(LoopProgram, call),
    .tp_call = PyVectorcall_Call,
    .tp_new = loop_new,
    .tp_traverse = loop_traverse,
    .tp_clear = loop_clear,
    .tp_dealloc = loop_dealloc,
    .tp_members = loop_members,
    .tp_getset = loop_getset,
};
