/* NumPy's floating-point modes inside a region: whatever is not ignored is raised.

   NumPy keeps the modes in a context variable holding an opaque capsule. What a capsule becomes is
   worked out in Python once (runtime/floating.py, the twin) and kept per capsule.
   Invariant: the cache holds its keys, so an address is never mistaken for another capsule's. */
#include "native.h"

enum { CACHE_SIZE = 8 };

static PyObject *state_variable; /* the context variable */
static PyObject *raising_state;  /* () -> the capsule to run a region under */
static struct {
    PyObject *capsule;
    PyObject *raising;
} cache[CACHE_SIZE];
static unsigned cache_next;

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

int
floating_enter(Floating *state)
{
    PyObject *capsule = NULL, *raising = NULL;
    int status = -1;
    if (PyContextVar_Get(state_variable, NULL, &capsule) < 0 || capsule == NULL) {
        goto done;
    }
    raising = find_raising(capsule);
    if (raising == NULL) {
        goto done;
    }
    if (raising != capsule) {
        state->token = PyContextVar_Set(state_variable, raising);
    }
    status = raising != capsule && state->token == NULL ? -1 : 0;
done:
    Py_XDECREF(capsule);
    Py_XDECREF(raising);
    return status;
}

void
floating_leave(Floating *state)
{
    if (state->token == NULL) {
        return;
    }
    PyObject *error = PyErr_Occurred() ? take_error() : NULL;
    if (PyContextVar_Reset(state_variable, state->token) < 0) {
        PyErr_WriteUnraisable(state_variable);
    }
    Py_CLEAR(state->token);
    if (error != NULL) {
        give_error(error);
    }
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
    Py_DECREF(module);
    return state_variable == NULL || raising_state == NULL ? -1 : 0;
}
