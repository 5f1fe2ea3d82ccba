/* Dump: the plans that a program made last, as dicts for a listing. */
#ifndef DYNTRACE_VM_DUMP_H
#define DYNTRACE_VM_DUMP_H

#include <Python.h>

PyObject *dump_plans(PyObject *self, PyObject *ignored);

#endif
