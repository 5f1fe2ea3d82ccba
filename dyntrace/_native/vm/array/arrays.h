/* Tests of arrays and dtypes, for guards, loops and results. */
#ifndef DYNTRACE_VM_ARRAY_ARRAYS_H
#define DYNTRACE_VM_ARRAY_ARRAYS_H

#include "vm/array/numpy.h"

/* Whether memory of the dtype holds numbers as C has them: bools or numbers in native byte order.
   Metadata does not count, since loops do not read it. */
static inline bool
array_dtype_is_native(const PyArray_Descr *dtype)
{
    bool number = PyTypeNum_ISNUMBER(dtype->type_num) || PyTypeNum_ISBOOL(dtype->type_num);
    return number && PyArray_ISNBO(dtype->byteorder);
}

/* Whether the dtype is as good as the built-in one: native, without metadata and without fields. A
   number may have fields (np.dtype((np.int32, {...}))), and NumPy's results would keep them. The
   Python twin is graph/kinds.is_plain_dtype. */
static inline bool
array_dtype_is_plain(const PyArray_Descr *dtype)
{
    return array_dtype_is_native(dtype) && PyDataType_METADATA(dtype) == NULL
           && PyDataType_NAMES(dtype) == NULL;
}

/* Whether the value is an exact ndarray of that built-in dtype, without metadata and fields. */
bool array_is_of(PyObject *value, int type_num, int ndim);
long long array_bytes(PyObject *value); /* 0 for anything but an exact ndarray */
/* Whether the array can be written without a warning. NumPy warns of the first write to a result of
   np.broadcast_arrays, which has bit 31 set (NPY_ARRAY_WARN_ON_WRITE in
   numpy/_core/src/multiarray/arrayobject.h; the public headers lack it). */
static inline bool
array_is_writeable(const PyArrayObject *array)
{
    return (PyArray_FLAGS(array) & (NPY_ARRAY_WRITEABLE | (int)(1u << 31))) == NPY_ARRAY_WRITEABLE;
}

int array_init(void); /* imports NumPy's C API; -1 with an exception */

#endif
