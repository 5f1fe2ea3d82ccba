/* The state of CPython's own iterators, read and moved on.

   A range_iterator holds C longs (Objects/rangeobject.c); the iterators over bytes, lists,
   tuples and any sequence with __getitem__ hold an index and the sequence (Objects/bytesobject.c,
   listobject.c, tupleobject.c and iterobject.c); enumerate and zip hold other iterators
   (Objects/enumobject.c and Python/bltinmodule.c). Invariant: to skip items leaves the iterator as
   calls of next() would. Read ahead/loop_inputs.c for the use. */
#include "cpython/frame_py3xx.h"

#include "cpython/iterators.h"

#if PY_VERSION_HEX >= 0x030C0000
typedef _PyRangeIterObject RangeIterator;
#else
typedef struct {
    PyObject_HEAD
    long index;
    long start;
    long step;
    long len;
} RangeIterator;
#endif

typedef struct {
    PyObject_HEAD
    Py_ssize_t index;
    PyObject *sequence;
} SequenceIterator;

/* The first fields of CPython's enumobject. */
typedef struct {
    PyObject_HEAD
    Py_ssize_t index;
    PyObject *inner;
    PyObject *result;
    PyObject *long_index; /* NULL as long as `index` tells the number */
} Enumerate;

/* The first fields of CPython's zipobject. */
typedef struct {
    PyObject_HEAD
    Py_ssize_t count;
    PyObject *inners;
} Zip;

static const Py_ssize_t MOST_NUMBERS = PY_SSIZE_T_MAX / 2; /* no loop counts so far */

bool
iterator_is_unshared(PyObject *iterator, IteratorHolders holders)
{
    return Py_REFCNT(iterator) == (Py_ssize_t)holders;
}

bool
iterator_of_range(PyObject *iterator, RangeState *state)
{
    if (!Py_IS_TYPE(iterator, &PyRangeIter_Type)) {
        return false;
    }
    const RangeIterator *range = (RangeIterator *)iterator;
#if PY_VERSION_HEX >= 0x030C0000
    *state = (RangeState){range->start, range->step, range->len};
#else
    unsigned long next =
        (unsigned long)range->start + (unsigned long)range->index * (unsigned long)range->step;
    *state = (RangeState){(long)next, range->step, range->len - range->index};
#endif
    return true;
}

/* Unsigned, since the item after the last one may not fit a long. */
void
iterator_skip_range(PyObject *iterator, int64_t count)
{
    RangeIterator *range = (RangeIterator *)iterator;
#if PY_VERSION_HEX >= 0x030C0000
    range->start =
        (long)((unsigned long)range->start + (unsigned long)count * (unsigned long)range->step);
    range->len -= (long)count;
#else
    range->index += (long)count;
#endif
}

bool
iterator_of_sequence(PyObject *iterator, PyTypeObject *type, SequenceState *state)
{
    if (!Py_IS_TYPE(iterator, type)) {
        return false;
    }
    const SequenceIterator *items = (SequenceIterator *)iterator;
    *state = (SequenceState){items->index, items->sequence};
    return true;
}

void
iterator_skip_sequence(PyObject *iterator, int64_t count)
{
    ((SequenceIterator *)iterator)->index += (Py_ssize_t)count;
}

bool
iterator_of_enumerate(PyObject *iterator, EnumerateState *state)
{
    if (!Py_IS_TYPE(iterator, &PyEnum_Type)) {
        return false;
    }
    const Enumerate *numbered = (Enumerate *)iterator;
    *state = (EnumerateState){numbered->index, numbered->inner};
    return numbered->long_index == NULL && numbered->index < MOST_NUMBERS;
}

void
iterator_skip_numbers(PyObject *iterator, int64_t count)
{
    ((Enumerate *)iterator)->index += (Py_ssize_t)count;
}

PyObject *
iterator_of_zip(PyObject *iterator)
{
    if (!Py_IS_TYPE(iterator, &PyZip_Type)) {
        return NULL;
    }
    PyObject *inners = ((Zip *)iterator)->inners;
    return inners != NULL && Py_REFCNT(inners) == 1 ? inners : NULL;
}
