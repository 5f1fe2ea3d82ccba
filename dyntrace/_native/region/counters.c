/* Counters: getters for what a region has counted; reports read them.

   Invariant: calls = runs + deopts + (misses - learnt) + skips, but for calls that an exception
   from outside ended. The twin is in runtime/region.py. Read call.c for where they count. */
#include "region/counters.h"

#include "region/entry.h"
#include "region/region.h"

static PyObject *
tuple_of(const long long *counts, Py_ssize_t length)
{
    PyObject *tuple = PyTuple_New(length);
    for (Py_ssize_t i = 0; i < length && tuple != NULL; i++) {
        PyObject *count = PyLong_FromLongLong(counts[i]);
        if (count == NULL) {
            Py_CLEAR(tuple);
            break;
        }
        PyTuple_SET_ITEM(tuple, i, count);
    }
    return tuple;
}

/* How often each entry gave a result. */
PyObject *
counters_runs(PyObject *self, void *closure)
{
    (void)closure;
    PyObject *entries = ((Region *)self)->entries;
    Py_ssize_t length = entries == NULL ? 0 : PyTuple_GET_SIZE(entries);
    long long *counts = PyMem_New(long long, length);
    if (counts == NULL) {
        return PyErr_NoMemory();
    }
    for (Py_ssize_t i = 0; i < length; i++) {
        counts[i] = ((Entry *)PyTuple_GET_ITEM(entries, i))->runs;
    }
    PyObject *runs = tuple_of(counts, length);
    PyMem_Free(counts);
    return runs;
}

/* Runs that failed, by cause. */
PyObject *
counters_replays(PyObject *self, void *closure)
{
    (void)closure;
    return tuple_of(((Region *)self)->replays, CAUSES);
}

/* The sizes of inputs on which the region lost against the original instructions. */
PyObject *
counters_losses(PyObject *self, void *closure)
{
    (void)closure;
    long long lost[BUCKETS];
    return tuple_of(lost, trial_lost(&((Region *)self)->trial, lost));
}
