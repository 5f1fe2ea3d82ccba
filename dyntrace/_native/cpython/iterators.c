/* The state of CPython's own iterators, read and moved on.

   A range_iterator holds C longs (Objects/rangeobject.c); the iterators over bytes and over any
   sequence with __getitem__ hold an index and the sequence (Objects/bytesobject.c and
   Objects/iterobject.c). Invariant: to skip items leaves the iterator as calls of next() would.
   Read ahead/loop_inputs.c for the use. */
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

/* The stub copies the stack item and passes the copy on; nobody else counts. */
enum { HOLDERS = 2 };

bool
iterator_is_unshared(PyObject *iterator)
{
    return Py_REFCNT(iterator) == HOLDERS;
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
