/* Entry: guard steps, the callable that executes the graph, and the steps whose values it gets.

   Invariant: an entry never changes after its creation. Evaluating its guards neither raises nor
   runs user code. The twin is _CompiledEntry in runtime/region.py. Read read.c and check.c next for
   the two halves of a step, call.c for the caller. */
#include "region/entry.h"

#include "region/check.h"
#include "region/read.h"
#include "vm/array/arrays.h"
#include "vm/floating.h"

static int
entry_traverse(PyObject *self, visitproc visit, void *arg)
{
    Entry *entry = (Entry *)self;
    Py_VISIT(entry->source);
    Py_VISIT(entry->run);
    for (Py_ssize_t k = 0; k < Py_SIZE(entry); k++) {
        Py_VISIT(entry->steps[k].mapping);
        Py_VISIT(entry->steps[k].b);
        Py_VISIT(entry->steps[k].c);
    }
    return 0;
}

static void
entry_dealloc(PyObject *self)
{
    Entry *entry = (Entry *)self;
    PyObject_GC_UnTrack(self);
    for (Py_ssize_t k = 0; k < Py_SIZE(entry); k++) {
        Py_XDECREF(entry->steps[k].mapping);
        Py_XDECREF(entry->steps[k].b);
        Py_XDECREF(entry->steps[k].c);
    }
    PyMem_Free(entry->uses);
    Py_XDECREF(entry->run);
    Py_XDECREF(entry->source);
    PyObject_GC_Del(self);
}

/* An entry is immutable, so it has no tp_clear: its region clears the tuple that holds it. */
PyTypeObject Entry_Type = {
    PyVarObject_HEAD_INIT(NULL, 0)
    .tp_name = "dyntrace._native.Entry",
    .tp_doc = "One compiled entry of a region.",
    .tp_basicsize = offsetof(Entry, steps),
    .tp_itemsize = sizeof(Step),
    .tp_flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC | Py_TPFLAGS_DISALLOW_INSTANTIATION,
    .tp_traverse = entry_traverse,
    .tp_dealloc = entry_dealloc,
};

static int
compile_step(Entry *entry, Py_ssize_t position, PyObject *source)
{
    Step *step = &entry->steps[position];
    if (!PyTuple_CheckExact(source) || PyTuple_GET_SIZE(source) != 6) {
        PyErr_SetString(PyExc_TypeError, "a step is a tuple (source, a, b, guard, c, d)");
        return -1;
    }
    const char *read = PyUnicode_AsUTF8(PyTuple_GET_ITEM(source, 0));
    const char *guard = read == NULL ? NULL : PyUnicode_AsUTF8(PyTuple_GET_ITEM(source, 3));
    if (guard == NULL) {
        return -1;
    }
    if (read_compile(step, read, PyTuple_GET_ITEM(source, 1), PyTuple_GET_ITEM(source, 2),
                     position) < 0
        || check_compile(step, guard, PyTuple_GET_ITEM(source, 4),
                         PyTuple_GET_ITEM(source, 5)) < 0) {
        return -1;
    }
    PyTypeObject *type =
        step->read != NULL && step->a >= 0 ? check_plain_type(&entry->steps[step->a]) : NULL;
    if (type != NULL) {
        read_specialise(step, type);
    }
    return 0;
}

/* Converts a tuple of step indexes; -1 with an exception if an item is none. */
static int
compile_indexes(const Entry *entry, PyObject *source, Py_ssize_t *indexes)
{
    for (Py_ssize_t i = 0; i < PyTuple_GET_SIZE(source); i++) {
        PyObject *use = PyTuple_GET_ITEM(source, i);
        if (!PyLong_CheckExact(use)) {
            PyErr_SetString(PyExc_TypeError, "the uses of an entry are step indexes");
            return -1;
        }
        indexes[i] = PyNumber_AsSsize_t(use, NULL);
        if (indexes[i] < 0 || indexes[i] >= Py_SIZE(entry)) {
            PyErr_SetString(PyExc_ValueError, "an entry uses a step that does not exist");
            return -1;
        }
    }
    return 0;
}

static int
compile_uses(Entry *entry, PyObject *uses, PyObject *sized)
{
    Py_ssize_t count = PyTuple_GET_SIZE(uses), sized_count = PyTuple_GET_SIZE(sized);
    if (count > MAX_STEPS || sized_count > MAX_STEPS) {
        PyErr_SetString(PyExc_ValueError, "an entry has too many steps");
        return -1;
    }
    entry->uses = PyMem_New(Py_ssize_t, count + sized_count + 1);
    if (entry->uses == NULL) {
        PyErr_NoMemory();
        return -1;
    }
    entry->use_count = count;
    entry->sized = entry->uses + count;
    entry->sized_count = sized_count;
    return compile_indexes(entry, uses, entry->uses) < 0
                   || compile_indexes(entry, sized, entry->sized) < 0
               ? -1
               : 0;
}

/* Are the graph's inputs the first arguments of the call, in order? */
static bool
is_direct(const Entry *entry)
{
    for (Py_ssize_t i = 0; i < entry->use_count; i++) {
        const Step *step = &entry->steps[entry->uses[i]];
        if (step->read != NULL || step->a != i) {
            return false;
        }
    }
    return true;
}

/* The vectorcall of `run`; NULL if its class or the object may exchange it later. */
static vectorcallfunc
lasting_call(PyObject *run)
{
    PyTypeObject *type = Py_TYPE(run);
    bool fixed = !PyType_HasFeature(type, Py_TPFLAGS_HEAPTYPE)
                 || PyType_HasFeature(type, Py_TPFLAGS_IMMUTABLETYPE);
    return fixed && !PyFunction_Check(run) ? PyVectorcall_Function(run) : NULL;
}

/* Does `run` declare that it warns of nothing and heeds NumPy's error modes itself? -1:
   exception. */
static int
is_quiet(PyObject *run)
{
    PyObject *quiet = PyObject_GetAttrString(run, "quiet");
    if (quiet == NULL) {
        if (!PyErr_ExceptionMatches(PyExc_AttributeError)) {
            return -1;
        }
        PyErr_Clear();
        return 0;
    }
    Py_DECREF(quiet);
    return quiet == Py_True;
}

/* The inputs whose sizes measure the work: those that the entry names, else all. */
static PyObject *
sized_of(PyObject *source)
{
    return PyTuple_GET_ITEM(source, PyTuple_GET_SIZE(source) > 4 ? 4 : 1);
}

/* Checks the form only: (steps, uses, run, fallible[, sized]). */
static int
check_form(PyObject *source)
{
    Py_ssize_t size = PyTuple_CheckExact(source) ? PyTuple_GET_SIZE(source) : 0;
    if (size != 4 && size != 5) {
        PyErr_SetString(PyExc_TypeError,
                        "an entry is a tuple (steps, uses, run, fallible[, sized])");
        return -1;
    }
    PyObject *steps = PyTuple_GET_ITEM(source, 0);
    if (!PyTuple_CheckExact(steps) || !PyTuple_CheckExact(PyTuple_GET_ITEM(source, 1))
        || !PyTuple_CheckExact(sized_of(source))) {
        PyErr_SetString(PyExc_TypeError, "the steps and the uses of an entry are tuples");
        return -1;
    }
    if (!PyCallable_Check(PyTuple_GET_ITEM(source, 2))) {
        PyErr_SetString(PyExc_TypeError, "the third item of an entry must be callable");
        return -1;
    }
    if (PyTuple_GET_SIZE(steps) > MAX_STEPS) {
        PyErr_SetString(PyExc_ValueError, "an entry has too many steps");
        return -1;
    }
    return 0;
}

PyObject *
entry_new(PyObject *source)
{
    if (check_form(source) < 0) {
        return NULL;
    }
    PyObject *steps = PyTuple_GET_ITEM(source, 0);
    int fallible = PyObject_IsTrue(PyTuple_GET_ITEM(source, 3));
    int quiet = fallible > 0 ? is_quiet(PyTuple_GET_ITEM(source, 2)) : 0;
    if (fallible < 0 || quiet < 0) {
        return NULL;
    }
    Py_ssize_t count = PyTuple_GET_SIZE(steps);
    Entry *entry = PyObject_GC_NewVar(Entry, &Entry_Type, count);
    if (entry == NULL) {
        return NULL;
    }
    entry->uses = NULL;
    entry->sized = NULL;
    entry->use_count = entry->sized_count = 0;
    entry->runs = 0;
    entry->fallible = fallible && !quiet;
    entry->direct = false;
    entry->source = Py_NewRef(source);
    entry->run = Py_NewRef(PyTuple_GET_ITEM(source, 2));
    entry->call = lasting_call(entry->run);
    memset(entry->steps, 0, (size_t)count * sizeof(Step));
    PyObject_GC_Track((PyObject *)entry);
    int failed = compile_uses(entry, PyTuple_GET_ITEM(source, 1), sized_of(source));
    for (Py_ssize_t k = 0; k < count && failed == 0; k++) {
        failed = compile_step(entry, k, PyTuple_GET_ITEM(steps, k));
    }
    if (failed < 0) {
        Py_CLEAR(entry);
        return NULL;
    }
    entry->direct = is_direct(entry);
    return (PyObject *)entry;
}

/* Releases the first `count` values. The caller owns those that are arguments. */
static void
release(const Entry *entry, PyObject **values, Py_ssize_t count)
{
    for (Py_ssize_t k = 0; k < count; k++) {
        if (entry->steps[k].read != NULL) {
            Py_DECREF(values[k]);
        }
    }
}

void
entry_release(const Entry *entry, PyObject **values)
{
    release(entry, values, Py_SIZE(entry));
}

/* Reads and checks every step. If true, the caller has to release `values`. */
bool
entry_values(const Entry *entry, PyObject *const *args, Py_ssize_t count, PyObject **values)
{
    Py_ssize_t length = Py_SIZE(entry);
    for (Py_ssize_t k = 0; k < length; k++) {
        const Step *step = &entry->steps[k];
        PyObject *value;
        if (step->read == NULL) {
            value = step->a < count ? args[step->a] : NULL;
        }
        else {
            value = step->read(step, step->a >= 0 ? values[step->a] : NULL);
        }
        if (value == NULL) {
            release(entry, values, k);
            return false;
        }
        values[k] = value;
        if (step->check != NULL && !step->check(step, value)) {
            release(entry, values, k + 1);
            return false;
        }
    }
    return true;
}

long long
entry_bytes(const Entry *entry, PyObject *const *values)
{
    long long bytes = 0;
    for (Py_ssize_t i = 0; i < entry->sized_count; i++) {
        bytes += array_bytes(values[entry->sized[i]]);
    }
    return bytes;
}

static PyObject *
run_raising(const Entry *entry, PyObject *const *inputs, size_t nargsf)
{
    Floating state = {NULL};
    if (floating_enter(&state) < 0) {
        return NULL;
    }
    PyObject *result = entry->call != NULL ? entry->call(entry->run, inputs, nargsf, NULL)
                                           : PyObject_Vectorcall(entry->run, inputs, nargsf, NULL);
    floating_leave(&state);
    return result;
}

static PyObject *
run_on(const Entry *entry, PyObject *const *inputs, size_t nargsf)
{
    if (entry->fallible) {
        return run_raising(entry, inputs, nargsf);
    }
    return entry->call != NULL ? entry->call(entry->run, inputs, nargsf, NULL)
                               : PyObject_Vectorcall(entry->run, inputs, nargsf, NULL);
}

static PyObject *
run_gathered(const Entry *entry, PyObject **values)
{
    PyObject *slots[MAX_STEPS + 1];
    PyObject **inputs = slots + 1;
    size_t count = (size_t)entry->use_count;
    for (size_t i = 0; i < count; i++) {
        inputs[i] = values[entry->uses[i]];
    }
    return run_on(entry, inputs, count | PY_VECTORCALL_ARGUMENTS_OFFSET);
}

PyObject *
entry_run(const Entry *entry, PyObject *const *args, size_t nargsf, PyObject **values)
{
    if (entry->direct) {
        size_t offset = nargsf & PY_VECTORCALL_ARGUMENTS_OFFSET;
        return run_on(entry, args, (size_t)entry->use_count | offset);
    }
    return run_gathered(entry, values);
}
