/* Entry: guard steps, the callable that executes the graph, and what it is given. */
#ifndef DYNTRACE_REGION_ENTRY_H
#define DYNTRACE_REGION_ENTRY_H

#include "region/step.h"

typedef struct {
    PyObject_VAR_HEAD
    PyObject *source;   /* the tuple this was compiled from */
    PyObject *run;
    vectorcallfunc call; /* of `run`, where it cannot change; else NULL */
    Py_ssize_t *uses;   /* the steps that the graph is given */
    Py_ssize_t use_count;
    Py_ssize_t *sized;  /* those whose arrays say how much work there is */
    Py_ssize_t sized_count;
    long long runs; /* that gave a result */
    bool fallible;
    bool direct; /* the inputs are the first arguments, in order */
    Step steps[1];
} Entry;

extern PyTypeObject Entry_Type;
PyObject *entry_new(PyObject *source);
bool entry_values(const Entry *entry, PyObject *const *args, Py_ssize_t count, PyObject **values);
/* NULL with the run's exception. `nargsf` tells whether args[-1] may be used. */
PyObject *entry_run(const Entry *entry, PyObject *const *args, size_t nargsf, PyObject **values);
void entry_release(const Entry *entry, PyObject **values);
long long entry_bytes(const Entry *entry, PyObject *const *values); /* of its sized arrays */

#endif
