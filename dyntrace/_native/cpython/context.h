/* The context variables of a thread, exchanged as a whole. */
#ifndef DYNTRACE_CPYTHON_CONTEXT_H
#define DYNTRACE_CPYTHON_CONTEXT_H

#include "cpython/frame_py3xx.h"

/* The thread's context variables, an immutable mapping, borrowed; NULL before the first is set. */
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

/* Give a thread that has a context other variables; what a variable keeps for speed is outdated. */
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
