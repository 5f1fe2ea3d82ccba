/* Objects from the words that a loop's machine code leaves.

   Invariant: they have the types and the bits that the loop's own instructions give. Read
   loop_program.c next. */
#include "ahead/loop_outputs.h"

bool
loop_outputs_accept(const LoopValue *value)
{
    switch (value->kind) {
    case LOOP_INT:
    case LOOP_FLOAT:
    case LOOP_BOOL:
    case LOOP_COMPLEX:
    case LOOP_SCALAR:
    case LOOP_SAME:
    case LOOP_NONE:
    case LOOP_INPUT:
    case LOOP_OUTPUT:
        return true;
    case LOOP_ARRAY:
    case LOOP_RANGE_ITERATOR:
    case LOOP_ARRAY_ITERATOR:
    case LOOP_BYTES_ITERATOR:
    case LOOP_ENUMERATE:
    case LOOP_ZIP:
    case LOOP_LIST_ITERATOR:
    case LOOP_TUPLE_ITERATOR:
    case LOOP_LIST:
    case LOOP_TUPLE:
    case LOOP_BYTES:
    case LOOP_GUARDED:
        break;
    }
    return false;
}

static double
as_double(int64_t word)
{
    double value;
    memcpy(&value, &word, sizeof value);
    return value;
}

static PyObject *
input_at(int64_t index, PyObject *const *inputs, Py_ssize_t input_count)
{
    if (index < 0 || index >= input_count) {
        PyErr_SetString(PyExc_SystemError, "the machine code of a loop names no input of it");
        return NULL;
    }
    return Py_NewRef(inputs[index]);
}

PyObject *
loop_outputs_build(const LoopValue *value, int64_t *words, PyObject *const *inputs,
                   Py_ssize_t input_count, PyObject *built, Py_ssize_t done)
{
    switch (value->kind) {
    case LOOP_INT:
        return PyLong_FromLongLong(words[0]);
    case LOOP_FLOAT:
        return PyFloat_FromDouble(as_double(words[0]));
    case LOOP_BOOL:
        return PyBool_FromLong(words[0] != 0);
    case LOOP_COMPLEX:
        return PyComplex_FromDoubles(as_double(words[0]), as_double(words[1]));
    case LOOP_SCALAR:
        return PyArray_Scalar(words, value->descr, NULL);
    case LOOP_SAME:
        return input_at(words[0], inputs, input_count);
    case LOOP_NONE:
        return Py_NewRef(Py_None);
    case LOOP_INPUT:
        return input_at(value->index, inputs, input_count);
    case LOOP_OUTPUT:
        if (value->index >= done) {
            PyErr_SetString(PyExc_SystemError, "an output of a loop is none of those before it");
            return NULL;
        }
        return Py_NewRef(PyTuple_GET_ITEM(built, value->index));
    case LOOP_ARRAY:
    case LOOP_RANGE_ITERATOR:
    case LOOP_ARRAY_ITERATOR:
    case LOOP_BYTES_ITERATOR:
    case LOOP_ENUMERATE:
    case LOOP_ZIP:
    case LOOP_LIST_ITERATOR:
    case LOOP_TUPLE_ITERATOR:
    case LOOP_LIST:
    case LOOP_TUPLE:
    case LOOP_BYTES:
    case LOOP_GUARDED:
        break;
    }
    PyErr_BadInternalCall();
    return NULL;
}
