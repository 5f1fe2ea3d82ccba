/* Words from the objects that a loop reads, and its iterators moved on.

   Invariant: reading changes no object, runs no user code and leaves no exception pending. An
   iterator that anything but the loop can see is refused. Read loop_program.c next. */
#include "ahead/loop_inputs.h"

#include "cpython/iterators.h"
#include "vm/array/arrays.h"

bool
loop_inputs_accept(const LoopValue *value)
{
    return value->kind < LOOP_SAME;
}

static bool
read_int(PyObject *object, int64_t *words)
{
    int overflow = 1;
    if (PyLong_CheckExact(object)) {
        words[0] = PyLong_AsLongLongAndOverflow(object, &overflow);
    }
    return overflow == 0;
}

static bool
read_float(PyObject *object, int64_t *words)
{
    if (!PyFloat_CheckExact(object)) {
        return false;
    }
    memcpy(words, &((PyFloatObject *)object)->ob_fval, sizeof(double));
    return true;
}

static bool
read_bool(PyObject *object, int64_t *words)
{
    words[0] = object == Py_True;
    return PyBool_Check(object);
}

static bool
read_complex(PyObject *object, int64_t *words)
{
    if (!PyComplex_CheckExact(object)) {
        return false;
    }
    memcpy(words, &((PyComplexObject *)object)->cval, 2 * sizeof(double));
    return true;
}

static bool
read_scalar(const LoopValue *value, PyObject *object, int64_t *words)
{
    if (Py_TYPE(object) != value->descr->typeobj) {
        return false;
    }
    memset(words, 0, (size_t)value->words * sizeof *words);
    PyArray_ScalarAsCtype(object, words);
    return true;
}

static bool
read_array(const LoopValue *value, PyObject *object, int64_t *words)
{
    if (!array_is_of(object, value->descr->type_num, value->ndim)) {
        return false;
    }
    PyArrayObject *array = (PyArrayObject *)object;
    words[0] = (int64_t)(intptr_t)PyArray_DATA(array);
    words[1] = array_is_writeable(array);
    for (int axis = 0; axis < value->ndim; axis++) {
        words[2 + axis] = PyArray_DIM(array, axis);
        words[2 + value->ndim + axis] = PyArray_STRIDE(array, axis);
    }
    return true;
}

static bool
read_bytes(PyObject *object, int64_t *words)
{
    if (!PyBytes_CheckExact(object)) {
        return false;
    }
    words[0] = (int64_t)(intptr_t)PyBytes_AS_STRING(object);
    words[1] = PyBytes_GET_SIZE(object);
    return true;
}

static bool
read_list(PyObject *object, int64_t *words)
{
    if (!PyList_CheckExact(object)) {
        return false;
    }
    words[0] = (int64_t)(intptr_t)((PyListObject *)object)->ob_item;
    words[1] = PyList_GET_SIZE(object);
    return true;
}

static bool
read_tuple(PyObject *object, int64_t *words)
{
    if (!PyTuple_CheckExact(object)) {
        return false;
    }
    words[0] = (int64_t)(intptr_t)((PyTupleObject *)object)->ob_item;
    words[1] = PyTuple_GET_SIZE(object);
    return true;
}

static bool
read_range(PyObject *object, int64_t *words)
{
    RangeState state;
    if (!iterator_of_range(object, &state)) {
        return false;
    }
    words[0] = state.next;
    words[1] = state.step;
    words[2] = state.left;
    return true;
}

/* The sequence that an iterator goes over, and the next index; NULL: none. */
static PyObject *
read_index(PyObject *object, PyTypeObject *type, int64_t *words)
{
    SequenceState state;
    if (!iterator_of_sequence(object, type, &state)) {
        return NULL;
    }
    words[0] = state.next;
    return state.sequence;
}

static bool read_iterator(const LoopValue *value, PyObject *object, IteratorHolders holders,
                          int64_t *words);

static bool
read_enumerate(const LoopValue *value, PyObject *object, int64_t *words)
{
    EnumerateState state;
    if (!iterator_of_enumerate(object, &state)) {
        return false;
    }
    words[0] = state.next;
    return read_iterator(&value->inners[0], state.inner, HELD_BY_ITERATOR, words + 1);
}

static bool
read_zip(const LoopValue *value, PyObject *object, int64_t *words)
{
    PyObject *inners = iterator_of_zip(object);
    if (inners == NULL || PyTuple_GET_SIZE(inners) != value->inner_count) {
        return false;
    }
    for (int i = 0; i < value->inner_count; i++) {
        const LoopValue *inner = &value->inners[i];
        if (!read_iterator(inner, PyTuple_GET_ITEM(inners, i), HELD_BY_ITERATOR, words)) {
            return false;
        }
        words += inner->words;
    }
    return true;
}

static bool
read_iterator(const LoopValue *value, PyObject *object, IteratorHolders holders, int64_t *words)
{
    PyObject *sequence;
    if (!iterator_is_unshared(object, holders)) {
        return false;
    }
    switch ((int)value->kind) { /* iterators only: loop_values.c sees to it */
    case LOOP_RANGE_ITERATOR:
        return read_range(object, words);
    case LOOP_ARRAY_ITERATOR:
        sequence = read_index(object, &PySeqIter_Type, words);
        return sequence != NULL && read_array(value, sequence, words + 1);
    case LOOP_BYTES_ITERATOR:
        sequence = read_index(object, &PyBytesIter_Type, words);
        return sequence != NULL && read_bytes(sequence, words + 1);
    case LOOP_LIST_ITERATOR:
        sequence = read_index(object, &PyListIter_Type, words);
        return sequence != NULL && read_list(sequence, words + 1);
    case LOOP_TUPLE_ITERATOR:
        sequence = read_index(object, &PyTupleIter_Type, words);
        return sequence != NULL && read_tuple(sequence, words + 1);
    case LOOP_ENUMERATE:
        return read_enumerate(value, object, words);
    case LOOP_ZIP:
        return read_zip(value, object, words);
    }
    return false;
}

bool
loop_inputs_read(const LoopValue *value, PyObject *object, int64_t *words)
{
    switch (value->kind) {
    case LOOP_INT:
        return read_int(object, words);
    case LOOP_FLOAT:
        return read_float(object, words);
    case LOOP_BOOL:
        return read_bool(object, words);
    case LOOP_COMPLEX:
        return read_complex(object, words);
    case LOOP_SCALAR:
        return read_scalar(value, object, words);
    case LOOP_ARRAY:
        return read_array(value, object, words);
    case LOOP_RANGE_ITERATOR:
    case LOOP_ARRAY_ITERATOR:
    case LOOP_BYTES_ITERATOR:
    case LOOP_LIST_ITERATOR:
    case LOOP_TUPLE_ITERATOR:
    case LOOP_ENUMERATE:
    case LOOP_ZIP:
        return read_iterator(value, object, HELD_BY_FRAME, words);
    case LOOP_LIST:
        return read_list(object, words);
    case LOOP_TUPLE:
        return read_tuple(object, words);
    case LOOP_BYTES:
        return read_bytes(object, words);
    case LOOP_GUARDED:
        return true;
    case LOOP_SAME:
    case LOOP_NONE:
    case LOOP_INPUT:
    case LOOP_OUTPUT:
        break;
    }
    return false;
}

static PyObject *
inner_of(const LoopValue *value, PyObject *object, int index)
{
    if (value->kind == LOOP_ZIP) {
        return PyTuple_GET_ITEM(iterator_of_zip(object), index);
    }
    EnumerateState state;
    iterator_of_enumerate(object, &state);
    return state.inner;
}

void
loop_inputs_advance(const LoopValue *value, PyObject *object, int64_t iterations)
{
    for (int i = 0; i < value->inner_count; i++) {
        loop_inputs_advance(&value->inners[i], inner_of(value, object, i), iterations);
    }
    switch ((int)value->kind) { /* others have no state */
    case LOOP_RANGE_ITERATOR:
        iterator_skip_range(object, iterations);
        break;
    case LOOP_ARRAY_ITERATOR:
    case LOOP_BYTES_ITERATOR:
    case LOOP_LIST_ITERATOR:
    case LOOP_TUPLE_ITERATOR:
        iterator_skip_sequence(object, iterations);
        break;
    case LOOP_ENUMERATE:
        iterator_skip_numbers(object, iterations);
        break;
    }
}
