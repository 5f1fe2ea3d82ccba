/* What an array and its dtype must be for guards, loops and results. NumPy's C API is imported here.

   Invariant: nothing here makes an object, runs code of the user's or leaves an exception. */
#define DYNTRACE_IMPORTS_NUMPY
#include "vm/array/arrays.h"

/* Exact, of a built-in dtype in native byte order, without metadata or fields. A dtype that spells
   its byte order out, as one made from memory of ctypes does, may be native too, but is refused:
   the results would have to spell it out as well. */
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
