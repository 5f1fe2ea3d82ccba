/* Overlap: whether arrays, or elements of one array, may share memory.

   Invariant: an answer may be "shared" for memory that is not, but never the reverse. Read
   plan/assign.c and commit.c for what follows from an answer. */
#include "vm/array/overlap.h"

#include "vm/array/layout.h"

Range
overlap_range(const char *start, int ndim, const npy_intp *dims, const npy_intp *strides,
              npy_intp itemsize)
{
    npy_intp low = 0, high = itemsize;
    for (int i = 0; i < ndim; i++) {
        if (dims[i] == 0) {
            return (Range){start, start};
        }
        npy_intp reach = layout_scaled(strides[i], dims[i] - 1);
        *(reach < 0 ? &low : &high) += reach;
    }
    return (Range){start + low, start + high};
}

Range
overlap_range_of(PyArrayObject *array)
{
    return overlap_range(PyArray_BYTES(array), PyArray_NDIM(array), PyArray_DIMS(array),
                         PyArray_STRIDES(array), PyArray_ITEMSIZE(array));
}

/* Goes through the axes by growing stride. Elements lie apart if each stride reaches past all that
   the axes before it cover. */
bool
overlap_within(int ndim, const npy_intp *dims, const npy_intp *strides, npy_intp itemsize)
{
    npy_uintp reach = (npy_uintp)itemsize;
    bool used[MAX_NDIM] = {false};
    for (int round = 0; round < ndim; round++) {
        int least = -1;
        for (int i = 0; i < ndim; i++) {
            if (!used[i] && dims[i] != 1
                && (least < 0 || layout_magnitude(strides[i]) < layout_magnitude(strides[least]))) {
                least = i;
            }
        }
        if (least < 0) {
            return false;
        }
        if (layout_magnitude(strides[least]) < reach) {
            return true;
        }
        used[least] = true;
        reach += layout_magnitude(strides[least]) * (npy_uintp)(dims[least] - 1);
    }
    return false;
}

/* PyArray_AssignArray copies an overlapping source aside, except for a target of one axis whose
   stride has the sign of the source's (numpy/_core/src/multiarray/array_assign_array.c). With equal
   strides that loop is a plain move. */
bool
overlap_read_while_written(int ndim, const npy_intp *strides, int source_ndim,
                           const npy_intp *source_strides)
{
    if (ndim != 1 || source_ndim < 1) {
        return false;
    }
    npy_intp stride = source_strides[source_ndim - 1];
    return stride != strides[0] && (stride < 0) == (strides[0] < 0);
}

/* The object that owns the array's memory; NULL if NumPy allocated it, since no other object can
   map that memory. */
static PyObject *
owner_of(PyArrayObject *array)
{
    while (!PyArray_CHKFLAGS(array, NPY_ARRAY_OWNDATA)) {
        PyObject *base = PyArray_BASE(array);
        if (base == NULL || !PyArray_Check(base)) {
            return base == NULL ? (PyObject *)array : base;
        }
        array = (PyArrayObject *)base;
    }
    return NULL;
}

bool
overlap_by_mapping(PyArrayObject *one, PyArrayObject *other)
{
    PyObject *owner = owner_of(one), *others = owner_of(other);
    return owner != NULL && others != NULL && owner != others;
}
