/* What an array and its dtype must be for guards, loops and results. */
#ifndef DYNTRACE_VM_ARRAY_ARRAYS_H
#define DYNTRACE_VM_ARRAY_ARRAYS_H

#include "vm/array/numpy.h"

/* Whether memory of the dtype holds numbers as C has them: a bool or a number in native byte order.
   Metadata is no matter: loops do not look at it. */
static inline bool
array_dtype_is_native(const PyArray_Descr *dtype)
{
    bool number = PyTypeNum_ISNUMBER(dtype->type_num) || PyTypeNum_ISBOOL(dtype->type_num);
    return number && PyArray_ISNBO(dtype->byteorder);
}

/* Whether a program cannot tell a result of the dtype from one of the built-in dtype: native, and
   without metadata or fields, which a number may have (np.dtype((np.int32, {...}))) and which eager's
   results would carry on. The twin is graph/kinds.is_plain_dtype. */
static inline bool
array_dtype_is_plain(const PyArray_Descr *dtype)
{
    return array_dtype_is_native(dtype) && PyDataType_METADATA(dtype) == NULL
           && PyDataType_NAMES(dtype) == NULL;
}

/* An exact array of that built-in dtype, in native byte order, without metadata and fields. */
bool array_is_of(PyObject *value, int type_num, int ndim);
long long array_bytes(PyObject *value); /* 0 of what is no exact array */
/* Whether it can be written without a warning: results of np.broadcast_arrays warn at the first write
   (bit 31, NumPy's WARN_ON_WRITE, which its headers leave out). */
static inline bool
array_is_writeable(const PyArrayObject *array)
{
    return (PyArray_FLAGS(array) & (NPY_ARRAY_WRITEABLE | (int)(1u << 31))) == NPY_ARRAY_WRITEABLE;
}

int array_init(void); /* imports NumPy's C API; -1 with an exception */

#endif
