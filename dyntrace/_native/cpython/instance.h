/* The attributes that an instance holds itself. */
#ifndef DYNTRACE_CPYTHON_INSTANCE_H
#define DYNTRACE_CPYTHON_INSTANCE_H

#include <Python.h>

PyObject *instance_value(PyObject *obj, PyObject *name); /* new; NULL without an exception */
PyObject *instance_attributes(PyObject *module, PyObject *obj);

#endif
