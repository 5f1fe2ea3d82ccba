/* NumPy's context variables inside a region: floating-point modes, and the handler of new memory.

   Inside a region each mode other than "ignore" becomes "raise". NumPy keeps the modes as an
   opaque capsule in a context variable (numpy/_core/src/umath/extobj.c). The Python twin,
   runtime/floating.py, makes the capsule with the raising modes once for each capsule, and a
   cache keeps it. Invariant: the caches hold references to their keys, so no other object gets
   the address of a key. Read array/datamem.c for the handler, cpython/context.h for context
   variables. */
#include "cpython/context.h"

#include "vm/floating.h"

#include "cpython/errors.h"
#include "vm/array/datamem.h"

enum { CACHE_SIZE = 8 };

static PyObject *state_variable; /* the context variable */
static PyObject *raising_state;  /* () -> the capsule with the raising modes */
static struct {
    PyObject *capsule;
    PyObject *raising;
} cache[CACHE_SIZE];
static unsigned cache_next;

/* The flags that the modes of a capsule do not ignore. */
static PyObject *trouble_flags; /* () -> those of the current modes */
static struct {
    PyObject *capsule;
    int flags;
} trouble[CACHE_SIZE];
static unsigned trouble_next;

/* The context variables of threads outside and inside regions. The mapping of a context is
   immutable (an HAMT, Python/hamt.c), so a region exchanges one mapping for the other, and back. */
static Floating known[CACHE_SIZE];
static unsigned known_next;
static PyObject *default_capsule;

static PyObject *
work_out(PyObject *capsule)
{
    PyObject *raising = PyObject_CallNoArgs(raising_state);
    if (raising == NULL) {
        return NULL;
    }
    unsigned slot = cache_next++ % CACHE_SIZE;
    PyObject *old_capsule = cache[slot].capsule, *old_raising = cache[slot].raising;
    cache[slot].capsule = Py_NewRef(capsule);
    cache[slot].raising = Py_NewRef(raising);
    Py_XDECREF(old_capsule);
    Py_XDECREF(old_raising);
    return raising;
}

static PyObject *
find_raising(PyObject *capsule)
{
    for (unsigned slot = 0; slot < CACHE_SIZE; slot++) {
        if (cache[slot].capsule == capsule) {
            return Py_NewRef(cache[slot].raising);
        }
    }
    return work_out(capsule);
}

/* Keeps the variables if they are none, or NumPy's default modes alone: a cache must not keep a
   value of the user alive. */
static void
remember(PyObject *before, PyObject *inside, PyObject *capsule)
{
    Py_ssize_t count = context_count(before);
    if (count > 1 || (count == 1 && capsule == default_capsule)) {
        return;
    }
    unsigned slot = known_next++ % CACHE_SIZE;
    Floating old = known[slot];
    known[slot] = (Floating){Py_NewRef(before), Py_NewRef(inside), Py_NewRef(capsule)};
    Py_XDECREF(old.before);
    Py_XDECREF(old.inside);
    Py_XDECREF(old.capsule);
}

/* Gives the thread a context by setting and resetting a variable: CPython makes a thread's context
   when its first variable is set (Python/context.c). */
static int
make_context(PyThreadState *ts, PyObject *capsule)
{
    if (context_variables(ts) != NULL) {
        return 0;
    }
    PyObject *token = PyContextVar_Set(state_variable, capsule);
    int status = token == NULL ? -1 : PyContextVar_Reset(state_variable, token);
    Py_XDECREF(token);
    return status;
}

/* Sets the raising modes and the handler of new memory. */
static int
set_variables(PyObject *capsule, PyObject *raising)
{
    if (raising != capsule) {
        PyObject *token = PyContextVar_Set(state_variable, raising);
        if (token == NULL) {
            return -1;
        }
        Py_DECREF(token);
    }
    return datamem_enter();
}

/* Sets the variables one by one, and remembers the mapping that results. */
static int
enter_slowly(PyThreadState *ts, Floating *state)
{
    PyObject *capsule = NULL, *raising = NULL, *before = NULL;
    int status = -1;
    if (PyContextVar_Get(state_variable, NULL, &capsule) < 0 || capsule == NULL) {
        goto done;
    }
    raising = find_raising(capsule);
    if (raising == NULL || make_context(ts, capsule) < 0) {
        goto done;
    }
    before = Py_NewRef(context_variables(ts));
    if (set_variables(capsule, raising) < 0) {
        context_exchange(ts, before);
        goto done;
    }
    if (context_variables(ts) != before) {
        *state = (Floating){Py_NewRef(before), Py_NewRef(context_variables(ts)),
                            Py_NewRef(capsule)};
    }
    remember(before, context_variables(ts), capsule);
    status = 0;
done:
    Py_XDECREF(capsule);
    Py_XDECREF(raising);
    Py_XDECREF(before);
    return status;
}

int
floating_enter(Floating *state)
{
    PyThreadState *ts = PyThreadState_Get();
    PyObject *variables = context_variables(ts);
    for (unsigned slot = 0; slot < CACHE_SIZE && variables != NULL; slot++) {
        const Floating *found = &known[slot];
        if (found->before == variables) {
            if (found->inside != variables) {
                *state = (Floating){Py_NewRef(found->before), Py_NewRef(found->inside),
                                    Py_NewRef(found->capsule)};
                context_exchange(ts, state->inside);
            }
            return 0;
        }
    }
    return enter_slowly(ts, state);
}

/* Resets the modes and the handler one by one. Code inside the region, as a signal handler, has set
   other variables, which stay. */
static void
put_back(Floating *state)
{
    PyObject *error = PyErr_Occurred() ? take_error() : NULL;
    PyObject *token = PyContextVar_Set(state_variable, state->capsule);
    if (token == NULL || datamem_leave() < 0) {
        PyErr_WriteUnraisable(state_variable);
    }
    Py_XDECREF(token);
    if (error != NULL) {
        give_error(error);
    }
}

void
floating_leave(Floating *state)
{
    if (state->before == NULL) {
        return;
    }
    PyThreadState *ts = PyThreadState_Get();
    if (context_variables(ts) == state->inside) {
        context_exchange(ts, state->before);
    }
    else {
        put_back(state);
    }
    Py_CLEAR(state->before);
    Py_CLEAR(state->inside);
    Py_CLEAR(state->capsule);
}

static int
work_out_trouble(PyObject *capsule)
{
    PyObject *answer = PyObject_CallNoArgs(trouble_flags);
    int flags = answer == NULL ? -1 : (int)PyLong_AsLong(answer);
    Py_XDECREF(answer);
    if (flags >= 0) {
        unsigned slot = trouble_next++ % CACHE_SIZE;
        PyObject *old = trouble[slot].capsule;
        trouble[slot].capsule = Py_NewRef(capsule);
        trouble[slot].flags = flags;
        Py_XDECREF(old);
    }
    return flags;
}

int
floating_trouble(void)
{
    PyObject *capsule;
    if (PyContextVar_Get(state_variable, NULL, &capsule) < 0) {
        return -1;
    }
    int flags = -1;
    bool known_capsule = false;
    for (unsigned slot = 0; slot < CACHE_SIZE && !known_capsule; slot++) {
        if (trouble[slot].capsule == capsule) {
            flags = trouble[slot].flags;
            known_capsule = true;
        }
    }
    if (!known_capsule) {
        flags = work_out_trouble(capsule);
    }
    Py_DECREF(capsule);
    return flags;
}

int
floating_init(void)
{
    PyObject *module = PyImport_ImportModule("dyntrace.runtime.floating");
    if (module == NULL) {
        return -1;
    }
    state_variable = PyObject_GetAttrString(module, "STATE");
    raising_state = PyObject_GetAttrString(module, "raising_state");
    trouble_flags = PyObject_GetAttrString(module, "trouble_flags");
    default_capsule = PyObject_GetAttrString(module, "DEFAULT");
    Py_DECREF(module);
    bool complete = state_variable != NULL && raising_state != NULL && trouble_flags != NULL
                    && default_capsule != NULL;
    return complete ? 0 : -1;
}
