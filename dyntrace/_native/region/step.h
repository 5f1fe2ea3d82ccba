/* Step: a value that is read, and what it must be. */
#ifndef DYNTRACE_REGION_STEP_H
#define DYNTRACE_REGION_STEP_H

#include <Python.h>
#include <stdbool.h>

enum { MAX_STEPS = 256 };

/* One guard step. `read` gives a new reference, or NULL without an exception; NULL as a function
   means "argument number `a`". `check` being NULL means that anything will do. */
typedef struct Step Step;
struct Step {
    PyObject *(*read)(const Step *step, PyObject *base);
    bool (*check)(const Step *step, PyObject *value);
    Py_ssize_t a;       /* argument or earlier step; -1: none */
    PyObject *mapping;  /* the dict of a global */
    PyObject *b;        /* name or key */
    Py_ssize_t index;   /* `b` as a position, or a field's offset */
    PyObject *c;        /* what the check compares with, or a weak reference to it */
    Py_ssize_t d;       /* dimensions or length */
    int number;         /* dtype number of an array guard */
    unsigned version;   /* version tag of a class */
};

#endif
