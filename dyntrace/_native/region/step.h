/* Step: where to read a value, and what it must be. Read read.c and check.c next. */
#ifndef DYNTRACE_REGION_STEP_H
#define DYNTRACE_REGION_STEP_H

#include <Python.h>
#include <stdbool.h>

enum { MAX_STEPS = 256 };

/* One guard step. `read` returns a new reference, or NULL without an exception; without `read` the
   value is argument number `a`. Without `check` any value passes. */
typedef struct Step Step;
struct Step {
    PyObject *(*read)(const Step *step, PyObject *base);
    bool (*check)(const Step *step, PyObject *value);
    Py_ssize_t a;       /* argument or earlier step; -1: none */
    PyObject *mapping;  /* the dict that a global is read from */
    PyObject *b;        /* name or key */
    Py_ssize_t index;   /* `b` as a position, or the offset of a field */
    PyObject *c;        /* what the check compares with; may be a weak reference to it */
    Py_ssize_t d;       /* number of dimensions, or length */
    int number;         /* dtype number of an array guard */
    unsigned version;   /* version tag of a class */
};

#endif
