/* Handlers of signals: they wait while a region is analysed. */
#ifndef DYNTRACE_CPYTHON_SIGNALS_H
#define DYNTRACE_CPYTHON_SIGNALS_H

#include "cpython/frame_py3xx.h"
#include "cpython/errors.h"

/* While no thread counts as the main one, signal handlers and pending calls wait. Gives what to
   release afterwards, 0 where there is nothing to hold: other threads run no handlers. */
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

/* Run what has waited; -1 with the exception of a handler, or with the one that was set before. */
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
