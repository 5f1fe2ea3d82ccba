/* Running a segment: finds its plan, makes new arrays, runs the groups, checks the flags.

   Invariants: a call allocates all memory before the first group runs; a target keeps its bytes, or
   the undo group restores them, unless each flag that is up has the mode "ignore". Read
   plan/keys.c for finding plans, group/tiles.c for running groups, split.c for the caller. */
#include "cpython/frame_py3xx.h"

#include "vm/run.h"

#include <pthread.h>
#include <time.h>

#include "cpython/imports.h"
#include "os/arena.h"
#include "os/environment.h"
#include "os/pool.h"
#include "vm/array/datamem.h"
#include "vm/array/layout.h"
#include "vm/array/scalars.h"
#include "vm/group/settings.h"
#include "vm/group/tiles.h"
#include "vm/plan/keys.h"
#include "vm/plan/views.h"
#include "vm/program/segment.h"

enum {
    BASES_ON_STACK = 64,
    SMALL_SCRATCH = 1 << 16, /* bytes that each thread keeps */
};

/* Nanoseconds, except HOT_AFTER: see choose_threads. */
static const double HOT_FROM = 5e3, HOT_WITHIN = 40e3;
static const int HOT_AFTER = 4;     /* calls */
static const double LONG_RUN = 1e6; /* a plan of this cost looks for signals between groups */
static const double GIL_FROM = 4e3; /* a plan of this cost releases the GIL */
static PyObject *modes;             /* numpy.geterr */

/* Bases ------------------------------------------------------------------------------------- */
/* A new array with the strides that NumPy would give it. */
static PyObject *
new_array(const Register *declared, const Value *value)
{
    npy_intp dense[MAX_NDIM];
    layout_dense_strides(value->ndim, value->dims, declared->itemsize, dense);
    bool usual = memcmp(dense, value->strides, (size_t)value->ndim * sizeof *dense) == 0;
    return datamem_array(declared->descr, value, usual ? NULL : value->strides);
}

typedef struct {
    const Program *program;
    Plan *plan;
    PyObject **objects;
    char **bases;
    char *memory;
    size_t memory_size;
    npy_intp threads;
    int raised;  /* floating-point flags that were up */
    short fault; /* UNPLANNED: the register of a number that could not be converted */
} Call;

/* MISFIT: an index is out of range, so the original instruction runs and raises. */
static Status
move_base(const Call *call, const Base *base, char **address)
{
    *address = call->bases[base->parent];
    for (int i = 0; i < base->index_count; i++) {
        const Index *index = &base->indexes[i];
        npy_intp value = PyNumber_AsSsize_t(call->objects[index->reg], NULL);
        if ((value == -1 && PyErr_Occurred()) || value < -index->length || value >= index->length) {
            PyErr_Clear();
            return MISFIT;
        }
        *address += (value < 0 ? value + index->length : value) * index->stride;
    }
    return DONE;
}

static bool
store_number(const Base *base, PyObject *object, char *to)
{
    return base->count >= 0 ? scalar_store_count(base->descr, base->count, to)
                            : scalar_store(base->descr, object, to);
}

static Status
take_base(Call *call, const Base *base, char **address)
{
    PyObject **object = base->reg >= 0 ? &call->objects[base->reg] : NULL;
    switch (base->code) {
    case BASE_OBJECT:
        *address = PyArray_BYTES((PyArrayObject *)*object);
        return DONE;
    case BASE_NEW:
        Py_XSETREF(*object, new_array(&call->program->registers[base->reg],
                                      &call->plan->values[base->reg]));
        if (*object == NULL) {
            PyErr_Clear();
            return REPLAY;
        }
        *address = PyArray_BYTES((PyArrayObject *)*object);
        return DONE;
    case BASE_BLOCK:
        *address = call->memory + base->place;
        return DONE;
    case BASE_INDEXED:
        return move_base(call, base, address);
    case BASE_SCALAR:
        break;
    }
    *address = call->memory + base->place;
    call->fault = base->reg;
    return store_number(base, *object, *address) ? DONE : UNPLANNED;
}

static Status
take_bases(Call *call)
{
    Status status = DONE;
    for (int i = 0; i < call->plan->base_count && status == DONE; i++) {
        status = take_base(call, &call->plan->bases[i], &call->bases[i]);
    }
    return status;
}

static double
nanoseconds(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec * 1e9 + (double)now.tv_nsec;
}

static double last_end; /* of the last run of cost HOT_FROM or more, in nanoseconds */

/* How many threads pay. Waking a thread costs as much as some 50 microseconds of work. In a loop of
   calls that follow one another closely the threads stay awake, and a tenth of that work pays. */
static npy_intp
choose_threads(double cost)
{
    static int streak;
    if (cost < HOT_FROM && cost < settings.threads_from) {
        return 1;
    }
    bool close = nanoseconds() - last_end < HOT_WITHIN;
    streak = !close ? 0 : streak < HOT_AFTER ? streak + 1 : streak;
    return cost >= settings.threads_from || streak >= HOT_AFTER ? pool_threads() : 1;
}

/* A thread keeps one small scratch for its calls. A call takes memory from the arena if it needs
   more, or if an outer call of the same thread uses the small scratch. */
static _Thread_local char *small_scratch __attribute__((tls_model("initial-exec")));
static _Thread_local bool small_scratch_taken __attribute__((tls_model("initial-exec")));
static pthread_key_t small_scratch_key; /* its destructor runs when the thread ends */

static void
give_small_scratch(void *memory)
{
    arena_give(memory, SMALL_SCRATCH);
}

static char *
own_scratch(void)
{
    if (small_scratch == NULL) {
        small_scratch = arena_take(SMALL_SCRATCH);
        if (small_scratch != NULL && pthread_setspecific(small_scratch_key, small_scratch) != 0) {
            arena_give(small_scratch, SMALL_SCRATCH);
            small_scratch = NULL;
        }
    }
    return small_scratch;
}

static Status
take_memory(Call *call)
{
    const Plan *plan = call->plan;
    call->threads = choose_threads(plan->cost);
    size_t size = (size_t)(plan->buffers + plan->scratch * call->threads);
    if (size == 0) {
        return DONE;
    }
    if (size <= SMALL_SCRATCH && !small_scratch_taken) {
        call->memory = own_scratch();
        small_scratch_taken = call->memory != NULL;
    }
    else {
        call->memory = arena_take(size);
        call->memory_size = size;
    }
    return call->memory == NULL ? REPLAY : DONE;
}

static void
give_memory(Call *call)
{
    if (call->memory_size > 0) {
        arena_give(call->memory, call->memory_size);
    }
    else if (call->memory != NULL) {
        small_scratch_taken = false;
    }
}

/* Running ----------------------------------------------------------------------------------- */
static void
run_group(Call *call, int number)
{
    const Group *group = &call->plan->groups[number];
    npy_intp threads =
        group->cost >= HOT_FROM || settings.threads_from < HOT_FROM ? call->threads : 1;
    call->raised |= tiles_run(group, call->bases, call->memory + call->plan->buffers, threads);
}

static void
clear_flags(void)
{
    if (environment_raised() != 0) {
        feclearexcept(ENVIRONMENT_FLAGS);
    }
}

/* FLAGGED: NumPy's mode for one of the raised flags is not "ignore". Needs the GIL. */
static Status
flags_allowed(int raised)
{
    feclearexcept(ENVIRONMENT_FLAGS);
    static const struct {
        int flag;
        const char *name;
    } NAMES[] = {{FE_DIVBYZERO, "divide"}, {FE_OVERFLOW, "over"}, {FE_UNDERFLOW, "under"},
                 {FE_INVALID, "invalid"}};
    PyObject *found = PyObject_CallNoArgs(modes);
    Status status = found == NULL ? FAILED : DONE; /* a signal handler has raised */
    for (size_t i = 0; i < sizeof NAMES / sizeof *NAMES && status == DONE; i++) {
        PyObject *mode = raised & NAMES[i].flag ? PyDict_GetItemString(found, NAMES[i].name) : NULL;
        if (mode != NULL && PyUnicode_CompareWithASCIIString(mode, "ignore") != 0) {
            status = FLAGGED;
        }
    }
    Py_XDECREF(found);
    return status;
}

/* Runs the groups, then the last group if the flags allow it, else the undo group. */
static Status
run_plan(Call *call, bool flags)
{
    Plan *plan = call->plan;
    PyThreadState *state = NULL, *thread = PyThreadState_Get();
    Status status = DONE;
    if (flags) {
        clear_flags();
    }
    if (plan->cost >= GIL_FROM) {
        state = PyEval_SaveThread();
    }
    for (int i = 0; i < plan->sequence_count && status == DONE; i++) {
        bool stops = i > 0 && plan->cost >= LONG_RUN && signal_is_pending(thread);
        if (stops) { /* only the last group of all writes a target: none is written yet */
            status = REPLAY;
        }
        else {
            run_group(call, plan->sequence[i]);
        }
    }
    bool complete = status == DONE;
    call->raised |= flags ? environment_raised() : 0;
    if (flags && call->raised != 0 && status == DONE) {
        if (state != NULL) {
            PyEval_RestoreThread(state);
            state = NULL;
        }
        status = flags_allowed(call->raised);
    }
    int after = status == DONE ? plan->last_group : complete ? plan->undo_group : -1;
    if (after >= 0) {
        run_group(call, after);
    }
    double end = plan->cost >= HOT_FROM ? nanoseconds() : 0;
    if (state != NULL) {
        PyEval_RestoreThread(state);
    }
    last_end = end > 0 ? end : last_end;
    if (status != FAILED && PyErr_Occurred()) { /* a loop that must not raise has raised */
        PyErr_Clear();
        status = REPLAY;
    }
    return status;
}

/* Results ----------------------------------------------------------------------------------- */
static PyObject *
new_view(const Call *call, const Export *export)
{
    short root = plan_root(call->plan, export->base);
    PyArrayObject *owner = (PyArrayObject *)call->objects[call->plan->bases[root].reg];
    return value_view(owner, &call->plan->values[export->reg],
                      call->bases[export->base] + export->offset);
}

static Status
make_exports(Call *call)
{
    const Plan *plan = call->plan;
    for (int i = 0; i < plan->export_count; i++) {
        const Export *export = &plan->exports[i];
        PyObject *made;
        if (export->code == EXPORT_NEW) {
            continue;
        }
        if (export->code == EXPORT_SCALAR) {
            made = PyArray_Scalar(call->bases[export->base] + export->offset,
                                  call->program->registers[export->reg].descr, NULL);
        }
        else {
            made = new_view(call, export);
        }
        if (made == NULL) {
            PyErr_Clear();
            return REPLAY;
        }
        Py_XSETREF(call->objects[export->reg], made);
    }
    return DONE;
}

static Status
run_call(Call *call, bool flags)
{
    char *on_stack[BASES_ON_STACK];
    call->bases = on_stack;
    if (call->plan->base_count > BASES_ON_STACK) {
        call->bases = PyMem_New(char *, call->plan->base_count);
        if (call->bases == NULL) {
            return REPLAY;
        }
    }
    Status status = take_memory(call);
    if (status == DONE) {
        status = take_bases(call);
    }
    if (status == DONE) {
        status = run_plan(call, flags);
    }
    if (status == DONE) {
        status = make_exports(call);
    }
    give_memory(call);
    if (call->bases != on_stack) {
        PyMem_Free(call->bases);
    }
    return status;
}

static Status
run_by_key(Program *program, Segment *segment, PyObject **objects, const npy_intp *key, int length,
           const Node **fault)
{
    Plan *plan = key_find(segment, key, length);
    bool fresh = plan == NULL;
    if (fresh) {
        plan = key_spare(program, segment);
        if (plan == NULL) {
            return REPLAY;
        }
    }
    plan->busy = true; /* other calls now leave the plan alone */
    Status status = fresh && !plan_make(plan, program, segment, objects, key, length)
                        ? REPLAY
                        : plan->status;
    program->plans_made += fresh;
    *fault = plan->fault;
    if (status == DONE) {
        Call call = {.program = program, .plan = plan, .objects = objects};
        status = run_call(&call, segment->flags);
        *fault = status == UNPLANNED ? segment_reader(segment, call.fault) : NULL;
    }
    plan->busy = false;
    if (plan->detached) {
        plan_free(plan);
    }
    return status;
}

Status
run_segment(Program *program, Segment *segment, PyObject **objects, const Node **fault)
{
    npy_intp few[KEY_ROOM], *key = few;
    int length;
    if (segment->views_only) {
        return views_run(program, segment, objects);
    }
    if (segment->key_room > KEY_ROOM) {
        key = PyMem_New(npy_intp, segment->key_room);
        if (key == NULL) {
            return REPLAY;
        }
    }
    Status status = key_make(program, segment, objects, key, &length, fault);
    if (status == DONE) {
        status = run_by_key(program, segment, objects, key, length, fault);
    }
    if (key != few) {
        PyMem_Free(key);
    }
    return status;
}

int
run_init(void)
{
    modes = import_attribute("numpy", "geterr");
    settings_init();
    if (modes != NULL && pthread_key_create(&small_scratch_key, give_small_scratch) != 0) {
        PyErr_NoMemory();
        return -1;
    }
    return modes == NULL ? -1 : 0;
}
