/* Does the pending exception go on to the program? Each function may replace the exception. */
#ifndef DYNTRACE_CPYTHON_FAILURES_H
#define DYNTRACE_CPYTHON_FAILURES_H

#include <Python.h>
#include <stdbool.h>

bool failure_is_asynchronous(PyObject *run);
bool failure_of_run(PyObject *run, PyObject *region);
bool failure_of_callback(PyObject *callback, PyObject *owner);
int failures_init(void);

#endif
