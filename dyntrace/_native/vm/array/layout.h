/* Shapes and strides: broadcasting, and the strides that NumPy gives to new arrays and reshapes. */
#ifndef DYNTRACE_VM_ARRAY_LAYOUT_H
#define DYNTRACE_VM_ARRAY_LAYOUT_H

#include "vm/array/value.h"

/* A product that wraps around, as NumPy's does; only axes of at most one element overflow. */
static inline npy_intp
layout_scaled(npy_intp stride, npy_intp factor)
{
    return (npy_intp)((npy_uintp)stride * (npy_uintp)factor);
}

/* The absolute value of any stride: that of an axis of length one may be NPY_MIN_INTP. */
static inline npy_uintp
layout_magnitude(npy_intp stride)
{
    return stride < 0 ? -(npy_uintp)stride : (npy_uintp)stride;
}

bool layout_broadcast(int *ndim, npy_intp *dims, int other_ndim, const npy_intp *other);
npy_intp layout_size(int ndim, const npy_intp *dims);
void layout_dense_strides(int ndim, const npy_intp *dims, npy_intp itemsize, npy_intp *strides);
bool layout_is_dense(int ndim, const npy_intp *dims, const npy_intp *strides, npy_intp itemsize);
bool layout_is_dense_in_order(int ndim, const npy_intp *dims, const npy_intp *strides,
                              npy_intp itemsize);
void layout_keep_order(int ndim, const npy_intp *dims, int count, const Value *const *operands,
                       const npy_intp *itemsizes, bool simply, npy_intp *strides);
void layout_copy_order(const Value *value, npy_intp source_itemsize, npy_intp itemsize,
                       npy_intp *strides);
/* The strides of a view of another shape; false: NumPy would copy. */
bool layout_reshape(const Value *value, npy_intp itemsize, int ndim, const npy_intp *dims,
                    npy_intp *strides);
void layout_scale_strides(int ndim, const npy_intp *strides, npy_intp from, npy_intp to,
                          npy_intp *out);
bool layout_same(int ndim, const npy_intp *one, int other_ndim, const npy_intp *other);

#endif
