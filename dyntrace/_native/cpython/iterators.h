/* The state of CPython's own iterators, read and moved on. */
#ifndef DYNTRACE_CPYTHON_ITERATORS_H
#define DYNTRACE_CPYTHON_ITERATORS_H

#include <Python.h>
#include <stdbool.h>
#include <stdint.h>

typedef struct {
    int64_t next; /* the item that comes next, if any is left */
    int64_t step;
    int64_t left; /* how many items are left */
} RangeState;

typedef struct {
    int64_t next;       /* the index of the item that comes next */
    PyObject *sequence; /* borrowed; NULL once the iterator is exhausted */
} SequenceState;

/* Does nothing but the stack of a frame and the arguments of this call refer to the iterator? */
bool iterator_is_unshared(PyObject *iterator);

/* False if the iterator is not an exact range_iterator, which has items that fit a C long. */
bool iterator_of_range(PyObject *iterator, RangeState *state);
void iterator_skip_range(PyObject *iterator, int64_t count); /* at most as many as are left */

/* False if the iterator is not exactly of `type`: PySeqIter_Type or PyBytesIter_Type. */
bool iterator_of_sequence(PyObject *iterator, PyTypeObject *type, SequenceState *state);
void iterator_skip_sequence(PyObject *iterator, int64_t count);

#endif
