/* Signal handlers wait while dyntrace analyses a region.

   CPython runs handlers in the main thread only: it compares the running thread with
   `_PyRuntime.main_thread` (Include/internal/pycore_pystate.h). Invariant: what handlers_hold
   returned goes to handlers_release. Read shelter.c for the use. */
#ifndef DYNTRACE_CPYTHON_SIGNALS_H
#define DYNTRACE_CPYTHON_SIGNALS_H

#include "cpython/frame_py3xx.h"
#include "cpython/errors.h"

/* Declares no thread the main one, so signal handlers and pending calls wait. Returns what to pass
   to handlers_release; 0 in other threads, which run no handlers. */
static inline unsigned long
handlers_hold(void)
{
    unsigned long main = _PyRuntime.main_thread;
    if (main == 0 || main != PyThread_get_thread_ident()) {
        return 0;
    }
    _PyRuntime.main_thread = 0;
    return main;
}

/* Runs the handlers that waited. -1 with a handler's exception, or with the one pending before. */
static inline int
handlers_release(unsigned long held)
{
    if (held == 0) {
        return PyErr_Occurred() == NULL ? 0 : -1;
    }
    _PyRuntime.main_thread = held;
    PyObject *before = take_error();
    if (Py_MakePendingCalls() == 0) {
        if (before == NULL) {
            return 0;
        }
        give_error(before);
    }
    else if (before != NULL) {
        PyObject *error = take_error();
        PyException_SetContext(error, before);
        give_error(error);
    }
    return -1;
}

#endif
