/* Dump: the plans that a program has made last, as plain values for people. */
#ifndef DYNTRACE_VM_DUMP_H
#define DYNTRACE_VM_DUMP_H

#include <Python.h>

PyObject *dump_plans(PyObject *self, PyObject *ignored);

#endif
