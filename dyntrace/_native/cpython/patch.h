/* Makes frames jump over a stub of running code. */
#ifndef DYNTRACE_CPYTHON_PATCH_H
#define DYNTRACE_CPYTHON_PATCH_H

#include <Python.h>

PyObject *patch_jump(PyObject *module, PyObject *const *args, Py_ssize_t count);

#endif
