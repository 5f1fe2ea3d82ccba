/* The C functions that the machine code of loops may call. */
#ifndef DYNTRACE_AHEAD_LOOP_FUNCTIONS_H
#define DYNTRACE_AHEAD_LOOP_FUNCTIONS_H

#include <Python.h>

PyObject *loop_functions(PyObject *module, PyObject *ignored);
PyObject *loop_functions_dot(PyObject *module, PyObject *dtype);

#endif
