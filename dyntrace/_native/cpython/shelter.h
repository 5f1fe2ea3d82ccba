/* Holds signal handlers during an analysis. */
#ifndef DYNTRACE_CPYTHON_SHELTER_H
#define DYNTRACE_CPYTHON_SHELTER_H

#include <Python.h>

PyObject *shelter_call(PyObject *module, PyObject *const *args, Py_ssize_t count);

#endif
