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

/* Who may refer to an iterator that a loop consumes. The stub of a loop copies the stack item and
   passes the copy on; an iterator inside of another one has that one only. */
typedef enum { HELD_BY_ITERATOR = 1, HELD_BY_FRAME = 2 } IteratorHolders;

bool iterator_is_unshared(PyObject *iterator, IteratorHolders holders);

/* False if the iterator is not an exact range_iterator, which has items that fit a C long. */
bool iterator_of_range(PyObject *iterator, RangeState *state);
void iterator_skip_range(PyObject *iterator, int64_t count); /* at most as many as are left */

/* False if the iterator is not exactly of `type`: that of a list, a tuple, bytes, or
   PySeqIter_Type. */
bool iterator_of_sequence(PyObject *iterator, PyTypeObject *type, SequenceState *state);
void iterator_skip_sequence(PyObject *iterator, int64_t count);

typedef struct {
    int64_t next;    /* the number that comes next */
    PyObject *inner; /* borrowed: the iterator whose items are counted */
} EnumerateState;

/* False if it is not an exact enumerate, or its numbers come near the end of 64 bits. */
bool iterator_of_enumerate(PyObject *iterator, EnumerateState *state);
void iterator_skip_numbers(PyObject *iterator, int64_t count); /* leaves the inner iterator */

/* The tuple of the iterators in an exact zip, borrowed; NULL if there is none, or it is shared. */
PyObject *iterator_of_zip(PyObject *iterator);

#endif
