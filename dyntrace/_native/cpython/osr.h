/* On-stack replacement. */
#ifndef DYNTRACE_CPYTHON_OSR_H
#define DYNTRACE_CPYTHON_OSR_H

#include <Python.h>

PyObject *osr(PyObject *module, PyObject *const *args, Py_ssize_t count);

#endif
