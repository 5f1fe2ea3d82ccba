/* One call of a segment: find its plan, make what it returns, run its groups, look at the flags.

   A plan is found again by its key: shapes, strides and flags of the arrays, the ints that decide
   shapes, and, where something is written, which arrays overlap it.
   Invariant: everything is allocated before the first group runs, and the trailing group runs only
   if no floating-point flag is up whose mode is not "ignore". */
#include "vm.h"

#include "arena.h"
#include "pool.h"

#include <stdlib.h>
#include <time.h>

enum { KEY_ROOM = 512, BASES_ON_STACK = 64 };

npy_intp vm_tile = 0;
double vm_threads_from = 60e3;
static const double HOT_FROM = 5e3, HOT_WITHIN = 40e3; /* nanoseconds */
static const int HOT_AFTER = 4;
static const double GIL_FROM = 4e3; /* nanoseconds of work from which the GIL is released */
static PyObject *modes;             /* numpy.geterr */

/* Keys -------------------------------------------------------------------------------------- */
bool
arrays_meet(PyArrayObject *one, PyArrayObject *other)
{
    npy_intp low, high, its_low, its_high;
    extent_of(PyArray_NDIM(one), PyArray_DIMS(one), PyArray_STRIDES(one), PyArray_ITEMSIZE(one),
              &low, &high);
    extent_of(PyArray_NDIM(other), PyArray_DIMS(other), PyArray_STRIDES(other),
              PyArray_ITEMSIZE(other), &its_low, &its_high);
    return PyArray_BYTES(one) + low < PyArray_BYTES(other) + its_high
           && PyArray_BYTES(other) + its_low < PyArray_BYTES(one) + high;
}

/* What matters of an array beyond its shape; -1: it cannot be used. */
static npy_intp
describe_array(const Segment *segment, PyObject **objects, PyArrayObject *array)
{
    int flags = PyArray_FLAGS(array);
    if (!(flags & NPY_ARRAY_ALIGNED)) {
        return -1;
    }
    npy_intp found = flags & (NPY_ARRAY_WRITEABLE | NPY_ARRAY_OWNDATA);
    if (segment->target >= 0) {
        PyArrayObject *target = (PyArrayObject *)objects[segment->target];
        bool meets = arrays_meet(array, target);
        found |= may_be_mapped_twice(array, target) ? 1 << 20 : 0;
        found |= meets ? 1 << 21 : 0;
        if (meets && array != target) {
            found ^= (PyArray_BYTES(array) - PyArray_BYTES(target)) << 22;
        }
    }
    return found;
}

/* The length of the key; -1: not to be planned. */
static int
make_key(const Program *program, const Segment *segment, PyObject **objects, npy_intp *key)
{
    int length = 0;
    for (int i = 0; i < segment->input_count; i++) {
        short reg = segment->inputs[i];
        const Register *declared = &program->registers[reg];
        if (declared->descr == NULL || declared->ndim < 0) {
            continue;
        }
        PyArrayObject *array = (PyArrayObject *)objects[reg];
        int ndim = PyArray_NDIM(array);
        if (length + 2 * ndim + 1 > KEY_ROOM || ndim > MAX_NDIM) {
            return -1;
        }
        npy_intp flags = describe_array(segment, objects, array);
        if (flags < 0 && !(PyArray_FLAGS(array) & NPY_ARRAY_ALIGNED)) {
            return -1;
        }
        key[length++] = flags;
        for (int axis = 0; axis < ndim; axis++) {
            key[length++] = PyArray_DIM(array, axis);
            key[length++] = PyArray_STRIDE(array, axis);
        }
    }
    for (int i = 0; i < segment->key_count; i++) {
        if (length + 1 > KEY_ROOM) {
            return -1;
        }
        key[length] = PyNumber_AsSsize_t(objects[segment->keys[i]], NULL);
        if (key[length++] == -1 && PyErr_Occurred()) {
            PyErr_Clear();
            return -1;
        }
    }
    return length;
}

static bool
same_key(const npy_intp *one, const npy_intp *other, int length)
{
    for (int i = 0; i < length; i++) {
        if (one[i] != other[i]) {
            return false;
        }
    }
    return true;
}

static Plan *
find_plan(Segment *segment, const npy_intp *key, int length)
{
    for (int i = 0; i < PLANS_KEPT; i++) {
        Plan *plan = segment->plans[i];
        if (plan != NULL && plan->key_length == length && !plan->busy
            && same_key(plan->key, key, length)) {
            return plan;
        }
    }
    return NULL;
}

/* A plan that may be made anew: the oldest of those kept, or one that nobody keeps. */
static Plan *
spare_plan(const Program *program, Segment *segment)
{
    for (int tries = 0; tries < PLANS_KEPT; tries++) {
        int place = segment->next_plan;
        segment->next_plan = (place + 1) % PLANS_KEPT;
        if (segment->plans[place] == NULL) {
            segment->plans[place] = plan_new(program, segment);
            return segment->plans[place];
        }
        if (!segment->plans[place]->busy) {
            return segment->plans[place];
        }
    }
    Plan *plan = plan_new(program, segment);
    if (plan != NULL) {
        plan->detached = true;
    }
    return plan;
}

/* Bases ------------------------------------------------------------------------------------- */
static bool
store_float(double value, int type, char *to)
{
    if (type == NPY_DOUBLE) {
        *(npy_double *)to = value;
        return true;
    }
    if (type == NPY_FLOAT && (value != value || (value <= 3.4e38 && value >= -3.4e38)
                              || value - value != 0)) {
        *(npy_float *)to = (npy_float)value;
        return true;
    }
    if (type == NPY_CFLOAT && value <= 3.4e38 && value >= -3.4e38) {
        ((npy_float *)to)[0] = (npy_float)value;
        ((npy_float *)to)[1] = 0;
        return true;
    }
    return false;
}

static bool
store_count(npy_intp count, int type, char *to)
{
    switch (type) {
    case NPY_DOUBLE:
        *(npy_double *)to = (npy_double)count;
        return true;
    case NPY_FLOAT:
        *(npy_float *)to = (npy_float)count;
        return true;
    case NPY_LONGDOUBLE:
        *(npy_longdouble *)to = (npy_longdouble)count;
        return true;
    case NPY_CDOUBLE:
        ((npy_double *)to)[0] = (npy_double)count;
        ((npy_double *)to)[1] = 0;
        return true;
    default:
        return false;
    }
}

/* What PyArray_Pack would do, for the commonest; -1: something else. */
static int
store_quickly(PyObject *object, int type, char *to)
{
    if (PyArray_IsScalar(object, Double) && type == NPY_DOUBLE) {
        *(npy_double *)to = PyArrayScalar_VAL(object, Double);
        return true;
    }
    if (PyFloat_CheckExact(object)) {
        bool narrow = type == NPY_HALF || type == NPY_FLOAT || type == NPY_CFLOAT;
        return store_float(PyFloat_AS_DOUBLE(object), type, to) ? true : narrow ? false : -1;
    }
    bool inexact = type == NPY_DOUBLE || type == NPY_FLOAT;
    if (!PyLong_CheckExact(object) || (!inexact && type != NPY_LONG)) {
        return -1;
    }
    if (inexact) {
        double value = PyLong_AsDouble(object);
        return !PyErr_Occurred() && store_float(value, type, to);
    }
    *(npy_long *)to = PyLong_AsLong(object);
    return !PyErr_Occurred();
}

/* Converts as NumPy converts a number beside an array; false if eager would warn or raise. */
bool
store_object(const PyArray_Descr *descr, PyObject *object, char *to)
{
    int stored = store_quickly(object, descr->type_num, to);
    if (stored < 0) {
        stored = PyArray_Pack((PyArray_Descr *)descr, to, object) == 0;
    }
    if (!stored) {
        PyErr_Clear();
    }
    return stored;
}

static bool
store_scalar(const Base *base, PyObject *object, char *to)
{
    return base->count >= 0 ? store_count(base->count, base->descr->type_num, to)
                            : store_object(base->descr, object, to);
}

/* A new array as eager would make it. */
static PyObject *
new_array(const Register *declared, const Value *value)
{
    npy_intp dense[MAX_NDIM];
    dense_strides(value->ndim, value->dims, declared->itemsize, dense);
    bool usual = memcmp(dense, value->strides, (size_t)value->ndim * sizeof *dense) == 0;
    Py_INCREF(declared->descr);
    return PyArray_NewFromDescr(&PyArray_Type, declared->descr, value->ndim, value->dims,
                                usual ? NULL : value->strides, NULL, 0, NULL);
}

typedef struct {
    const Program *program;
    Plan *plan;
    PyObject **objects;
    char **bases;
    char *memory;
    size_t memory_size;
    npy_intp threads;
    int raised;  /* flags */
} Call;

/* An index that is out of range is raised by the original instruction. */
static Status
move_base(const Call *call, const Base *base, char **address)
{
    *address = call->bases[base->parent];
    for (int i = 0; i < base->index_count; i++) {
        const Index *index = &base->indexes[i];
        npy_intp value = PyNumber_AsSsize_t(call->objects[index->reg], NULL);
        if (value < -index->length || value >= index->length) {
            PyErr_Clear();
            return REPLAY;
        }
        *address += (value < 0 ? value + index->length : value) * index->stride;
    }
    return DONE;
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
    default:
        *address = call->memory + base->place;
        return store_scalar(base, *object, *address) ? DONE : TO_TWIN;
    }
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

static double last_end; /* of a run that was worth a second thread in a loop */

/* How many threads pay. Waking one costs as much as some 50 microseconds of work; but in a loop of
   calls that follow one another closely the threads stay awake, and a tenth of that is enough. */
static npy_intp
choose_threads(double cost)
{
    static int streak;
    if (cost < HOT_FROM && cost < vm_threads_from) {
        return 1;
    }
    bool close = nanoseconds() - last_end < HOT_WITHIN;
    streak = !close ? 0 : streak < HOT_AFTER ? streak + 1 : streak;
    return cost >= vm_threads_from || streak >= HOT_AFTER ? pool_threads() : 1;
}

/* A small scratch is the thread's own, unless a call within this one has it; a large one is taken
   from the arena. */
static _Thread_local char *small_scratch __attribute__((tls_model("initial-exec")));
static _Thread_local bool small_scratch_taken __attribute__((tls_model("initial-exec")));

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
        if (small_scratch == NULL) {
            small_scratch = arena_take(SMALL_SCRATCH);
        }
        call->memory = small_scratch;
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
    npy_intp threads = group->cost >= HOT_FROM || vm_threads_from < HOT_FROM ? call->threads : 1;
    call->raised |= group_run(group, call->bases, call->memory + call->plan->buffers, threads);
}

static void
clear_flags(void)
{
    if (raised_flags() != 0) {
        feclearexcept(FLAGS);
    }
}

/* With the GIL held. */
static Status
flags_allowed(int raised)
{
    feclearexcept(FLAGS);
    static const struct {
        int flag;
        const char *name;
    } NAMES[] = {{FE_DIVBYZERO, "divide"}, {FE_OVERFLOW, "over"}, {FE_UNDERFLOW, "under"},
                 {FE_INVALID, "invalid"}};
    PyObject *found = PyObject_CallNoArgs(modes);
    Status status = found == NULL ? REPLAY : DONE;
    for (size_t i = 0; i < sizeof NAMES / sizeof *NAMES && status == DONE; i++) {
        PyObject *mode = raised & NAMES[i].flag ? PyDict_GetItemString(found, NAMES[i].name) : NULL;
        if (mode != NULL && PyUnicode_CompareWithASCIIString(mode, "ignore") != 0) {
            status = REPLAY;
        }
    }
    Py_XDECREF(found);
    PyErr_Clear();
    return status;
}

static Status
run_plan(Call *call, bool flags)
{
    Plan *plan = call->plan;
    PyThreadState *state = NULL;
    Status status = DONE;
    if (flags) {
        clear_flags();
    }
    if (plan->cost >= GIL_FROM) {
        state = PyEval_SaveThread();
    }
    for (int i = 0; i < plan->sequence_count; i++) {
        run_group(call, plan->sequence[i]);
    }
    call->raised |= flags ? raised_flags() : 0;
    if (flags && call->raised != 0) {
        if (state != NULL) {
            PyEval_RestoreThread(state);
            state = NULL;
        }
        status = flags_allowed(call->raised);
    }
    int after = status == DONE ? plan->last_group : plan->undo_group;
    if (after >= 0) {
        run_group(call, after);
    }
    if (plan->cost >= HOT_FROM) {
        last_end = nanoseconds();
    }
    if (state != NULL) {
        PyEval_RestoreThread(state);
    }
    if (PyErr_Occurred()) { /* a loop that is not supposed to raise has */
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
    return view_of(owner, &call->plan->values[export->reg],
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

Status
segment_run(Program *program, Segment *segment, PyObject **objects)
{
    npy_intp key[KEY_ROOM];
    if (segment->views_only) {
        return views_run(program, segment, objects);
    }
    int length = make_key(program, segment, objects, key);
    if (length < 0) {
        return TO_TWIN;
    }
    Plan *plan = find_plan(segment, key, length);
    if (plan == NULL) {
        plan = spare_plan(program, segment);
        if (plan == NULL || !plan_make(plan, program, segment, objects, key, length)) {
            if (plan != NULL && plan->detached) {
                plan_free(plan);
            }
            return REPLAY;
        }
        program->plans_made++;
    }
    Status status = plan->status;
    if (status == DONE) {
        Call call = {.program = program, .plan = plan, .objects = objects};
        plan->busy = true;
        status = run_call(&call, segment->flags);
        plan->busy = false;
    }
    if (plan->detached) {
        plan_free(plan);
    }
    return status;
}

int
run_init(void)
{
    PyObject *numpy = PyImport_ImportModule("numpy");
    if (numpy == NULL) {
        return -1;
    }
    modes = PyObject_GetAttrString(numpy, "geterr");
    Py_DECREF(numpy);
    const char *tile = getenv("DYNTRACE_TILE"), *from = getenv("DYNTRACE_THREADS_FROM");
    vm_tile = tile != NULL ? (npy_intp)atol(tile) : 0;
    vm_threads_from = from != NULL ? atof(from) : vm_threads_from;
    return modes == NULL ? -1 : 0;
}
