/* On-stack replacement: osr(code, byte offset) -> bool; see osr.c. */
#ifndef DYNTRACE_CPYTHON_OSR_H
#define DYNTRACE_CPYTHON_OSR_H

#include <Python.h>

PyObject *osr(PyObject *module, PyObject *const *args, Py_ssize_t count);

#endif
