/* Tests of arrays and dtypes, for guards, loops and results; the import of NumPy's C API.

   Invariant: a test makes no object, runs no code of the user and leaves no exception. Read numpy.h
   for how the files of the extension share NumPy's table. */
#define DYNTRACE_IMPORTS_NUMPY
#include "vm/array/arrays.h"

/* Whether the value is an ndarray, no subclass, of a built-in dtype without metadata or fields. A
   dtype that spells its byte order ('<' instead of '=', as numpy.ctypeslib makes it) is refused,
   although it is native: NumPy's views and copies would keep the spelling. */
bool
array_is_of(PyObject *value, int type_num, int ndim)
{
    if (!PyArray_CheckExact(value)) {
        return false;
    }
    PyArrayObject *array = (PyArrayObject *)value;
    PyArray_Descr *descr = PyArray_DESCR(array);
    return PyArray_NDIM(array) == ndim && descr->type_num == type_num
           && (descr->byteorder == NPY_NATIVE || descr->byteorder == NPY_IGNORE)
           && PyDataType_METADATA(descr) == NULL && PyDataType_NAMES(descr) == NULL;
}

long long
array_bytes(PyObject *value)
{
    return PyArray_CheckExact(value) ? (long long)PyArray_NBYTES((PyArrayObject *)value) : 0;
}

int
array_init(void)
{
    return PyArray_ImportNumPyAPI();
}
