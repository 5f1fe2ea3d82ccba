/* The context variables of a thread: read, counted and exchanged as a whole.

   A PyContext refers to one immutable mapping (Include/internal/pycore_context.h), so exchanging
   the mapping exchanges all variables. Invariant: `context_ver` changes with the mapping, because
   each ContextVar caches its value for one version (Python/context.c). Read vm/floating.c for the
   use. */
#ifndef DYNTRACE_CPYTHON_CONTEXT_H
#define DYNTRACE_CPYTHON_CONTEXT_H

#include "cpython/frame_py3xx.h"

/* The mapping of the thread's variables, borrowed; NULL while the thread has no context. */
static inline PyObject *
context_variables(PyThreadState *ts)
{
    return ts->context == NULL ? NULL : (PyObject *)((PyContext *)ts->context)->ctx_vars;
}

static inline Py_ssize_t
context_count(PyObject *variables)
{
    return ((PyHamtObject *)variables)->h_count;
}

/* Give other variables to a thread that has a context. */
static inline void
context_exchange(PyThreadState *ts, PyObject *variables)
{
    PyContext *context = (PyContext *)ts->context;
    PyObject *old = (PyObject *)context->ctx_vars;
    context->ctx_vars = (PyHamtObject *)Py_NewRef(variables);
    ts->context_ver++;
    Py_DECREF(old);
}

#endif
