/* Entry: guard steps, the callable that executes the graph, and the steps whose values it gets. */
#ifndef DYNTRACE_REGION_ENTRY_H
#define DYNTRACE_REGION_ENTRY_H

#include "region/step.h"

typedef struct {
    PyObject_VAR_HEAD
    PyObject *source;   /* the tuple this was compiled from */
    PyObject *run;
    vectorcallfunc call; /* of `run`; NULL if it may change */
    Py_ssize_t *uses;   /* the steps whose values `run` gets */
    Py_ssize_t use_count;
    Py_ssize_t *sized;  /* the steps whose arrays measure the work */
    Py_ssize_t sized_count;
    long long runs; /* runs that gave a result */
    bool fallible;
    bool direct; /* `run` gets the first arguments of the call, in order */
    Step steps[1];
} Entry;

extern PyTypeObject Entry_Type;
PyObject *entry_new(PyObject *source);
bool entry_values(const Entry *entry, PyObject *const *args, Py_ssize_t count, PyObject **values);
/* NULL with the exception of `run`. `nargsf` is that of a vectorcall. */
PyObject *entry_run(const Entry *entry, PyObject *const *args, size_t nargsf, PyObject **values);
void entry_release(const Entry *entry, PyObject **values);
long long entry_bytes(const Entry *entry, PyObject *const *values); /* of its sized arrays */

#endif
