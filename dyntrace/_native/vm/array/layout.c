/* Shapes and strides: broadcasting, and the strides that NumPy gives to a new array or a reshape.

   Invariant: each function is arithmetic on dims and strides and reads no array. Each follows a
   function of NumPy, named at its definition. plan/elementwise.c and plan/views.c ask. */
#include "vm/array/layout.h"

/* Replaces `dims` by the shape to which it and `other` broadcast; false if they do not. */
bool
layout_broadcast(int *ndim, npy_intp *dims, int other_ndim, const npy_intp *other)
{
    if (other_ndim > *ndim) {
        int shift = other_ndim - *ndim;
        memmove(dims + shift, dims, (size_t)*ndim * sizeof *dims);
        for (int i = 0; i < shift; i++) {
            dims[i] = 1;
        }
        *ndim = other_ndim;
    }
    for (int i = 0; i < other_ndim; i++) {
        npy_intp *mine = &dims[*ndim - other_ndim + i];
        if (*mine == 1) {
            *mine = other[i];
        }
        else if (other[i] != 1 && other[i] != *mine) {
            return false;
        }
    }
    return true;
}

/* The number of elements; -1 if arrays of LARGEST_ITEM bytes an element could not be addressed. */
npy_intp
layout_size(int ndim, const npy_intp *dims)
{
    npy_intp size = 1;
    bool empty = false;
    for (int i = 0; i < ndim; i++) {
        empty |= dims[i] == 0;
        if (dims[i] != 0 && __builtin_mul_overflow(size, dims[i], &size)) {
            return -1;
        }
    }
    return size > NPY_MAX_INTP / LARGEST_ITEM ? -1 : empty ? 0 : size;
}

bool
layout_same(int ndim, const npy_intp *one, int other_ndim, const npy_intp *other)
{
    return ndim == other_ndim && memcmp(one, other, (size_t)ndim * sizeof *one) == 0;
}

/* C-contiguous strides. An empty axis counts as one of length one, as in _array_fill_strides
   (numpy/_core/src/multiarray/ctors.c). */
void
layout_dense_strides(int ndim, const npy_intp *dims, npy_intp itemsize, npy_intp *strides)
{
    npy_intp step = itemsize;
    for (int i = ndim - 1; i >= 0; i--) {
        strides[i] = step;
        step *= dims[i] ? dims[i] : 1;
    }
}

/* Whether the elements are contiguous in index order; axes of length one do not count. */
bool
layout_is_dense_in_order(int ndim, const npy_intp *dims, const npy_intp *strides, npy_intp itemsize)
{
    npy_intp step = itemsize;
    for (int i = ndim - 1; i >= 0; i--) {
        if (dims[i] != 1 && strides[i] != step) {
            return false;
        }
        step *= dims[i];
    }
    return true;
}

/* Whether the elements are contiguous in some order of the axes. */
bool
layout_is_dense(int ndim, const npy_intp *dims, const npy_intp *strides, npy_intp itemsize)
{
    npy_intp step = itemsize;
    int left = 0;
    for (int i = 0; i < ndim; i++) {
        left += dims[i] != 1;
    }
    while (left > 0) {
        int found = -1;
        for (int i = 0; i < ndim && found < 0; i++) {
            found = dims[i] != 1 && strides[i] == step ? i : -1;
        }
        if (found < 0) {
            return false;
        }
        step *= dims[found];
        left--;
    }
    return true;
}

/* The stride of a value along an axis of the result, 0 where it is broadcast. */
static npy_intp
axis_stride(const Value *value, int ndim, int axis)
{
    int own = axis - (ndim - value->ndim);
    return own < 0 || value->dims[own] == 1 ? 0 : value->strides[own];
}

/* 1: axis `outer` has the smaller strides and must become the inner one; 0: it must stay outside;
   -1: no operand has strides along both. */
static int
compare_axes(int ndim, int count, const Value *const *operands, int outer, int inner)
{
    int verdict = -1;
    for (int k = 0; k < count; k++) {
        npy_uintp a = layout_magnitude(axis_stride(operands[k], ndim, outer));
        npy_uintp b = layout_magnitude(axis_stride(operands[k], ndim, inner));
        if (a == 0 || b == 0) {
            continue;
        }
        if (b <= a) {
            verdict = 0;
        }
        else if (verdict < 0) {
            verdict = 1;
        }
    }
    return verdict;
}

/* The axes from fastest to slowest, by the insertion sort of npyiter_find_best_axis_ordering
   (numpy/_core/src/multiarray/nditer_constr.c). */
static void
sort_axes(int ndim, int count, const Value *const *operands, int *axes)
{
    for (int i = 0; i < ndim; i++) {
        axes[i] = ndim - 1 - i;
    }
    for (int i = 1; i < ndim; i++) {
        int moved = axes[i], place = i;
        for (int j = i - 1; j >= 0; j--) {
            int verdict = compare_axes(ndim, count, operands, moved, axes[j]);
            if (verdict == 0) {
                break;
            }
            if (verdict == 1) {
                place = j;
            }
        }
        for (int j = i; j > place; j--) {
            axes[j] = axes[j - 1];
        }
        axes[place] = moved;
    }
}

/* F-contiguous strides: layout_dense_strides with the first axis fastest. */
static void
fortran_strides(int ndim, const npy_intp *dims, npy_intp itemsize, npy_intp *strides)
{
    npy_intp step = itemsize;
    for (int i = 0; i < ndim; i++) {
        strides[i] = step;
        step *= dims[i] ? dims[i] : 1;
    }
}

static bool
is_fortran(const Value *value, npy_intp itemsize)
{
    npy_intp step = itemsize;
    for (int i = 0; i < value->ndim; i++) {
        if (value->dims[i] != 1 && value->strides[i] != step) {
            return false;
        }
        step *= value->dims[i];
    }
    return true;
}

/* The strides of a ufunc's result where NumPy needs no iterator: all operands have one shape and
   are all C-contiguous, or all F-contiguous (try_trivial_single_output_loop in
   numpy/_core/src/umath/ufunc_object.c). False: NumPy iterates. */
static bool
keep_simply(int ndim, const npy_intp *dims, int count, const Value *const *operands,
            const npy_intp *itemsizes, npy_intp itemsize, npy_intp *strides)
{
    bool c_order = true, fortran = true;
    for (int k = 0; k < count; k++) {
        const Value *value = operands[k];
        if (!layout_same(value->ndim, value->dims, ndim, dims)) {
            return false;
        }
        c_order &= layout_is_dense_in_order(ndim, dims, value->strides, itemsizes[k]);
        fortran &= is_fortran(value, itemsizes[k]);
    }
    if (c_order) {
        layout_dense_strides(ndim, dims, itemsize, strides);
    }
    else if (fortran) {
        fortran_strides(ndim, dims, itemsize, strides);
    }
    return c_order || fortran;
}

/* The strides of a result in order "K", for items of one byte; those of an empty array are 0.
   `simply`: the result is a ufunc's, so NumPy avoids its iterator where it can. */
void
layout_keep_order(int ndim, const npy_intp *dims, int count, const Value *const *operands,
                  const npy_intp *itemsizes, bool simply, npy_intp *strides)
{
    int axes[MAX_NDIM];
    if (layout_size(ndim, dims) == 0) {
        memset(strides, 0, (size_t)ndim * sizeof *strides);
        return;
    }
    if (ndim < 2) {
        strides[0] = 1;
        return;
    }
    if (simply && keep_simply(ndim, dims, count, operands, itemsizes, 1, strides)) {
        return;
    }
    sort_axes(ndim, count, operands, axes);
    npy_intp step = 1;
    for (int i = 0; i < ndim; i++) {
        strides[axes[i]] = step;
        step *= dims[axes[i]];
    }
}

/* The strides of a copy in order "K": the axes are sorted by the size of their strides, as
   PyArray_NewLikeArray does with PyArray_CreateSortedStridePerm (numpy/_core/src/multiarray/). */
void
layout_copy_order(const Value *value, npy_intp source_itemsize, npy_intp itemsize,
                  npy_intp *strides)
{
    int ndim = value->ndim;
    bool used[MAX_NDIM] = {false};
    if (value->size == 0) {
        memset(strides, 0, (size_t)ndim * sizeof *strides);
        return;
    }
    if (layout_is_dense_in_order(ndim, value->dims, value->strides, source_itemsize)) {
        layout_dense_strides(ndim, value->dims, itemsize, strides);
        return;
    }
    if (is_fortran(value, source_itemsize)) {
        fortran_strides(ndim, value->dims, itemsize, strides);
        return;
    }
    npy_intp step = itemsize;
    for (int round = 0; round < ndim; round++) {
        int least = -1;
        for (int i = ndim - 1; i >= 0; i--) {
            if (!used[i] && (least < 0 || layout_magnitude(value->strides[i])
                                              < layout_magnitude(value->strides[least]))) {
                least = i;
            }
        }
        used[least] = true;
        strides[least] = step;
        step *= value->dims[least];
    }
}

/* The strides of a reshape without a copy: runs of old axes become runs of new axes of the same
   size, as in _attempt_nocopy_reshape (numpy/_core/src/multiarray/shape.c). The old axes of length
   one have been removed. False: NumPy copies. */
static bool
split_axes(int old_ndim, const npy_intp *old_dims, const npy_intp *old_strides, npy_intp itemsize,
           int ndim, const npy_intp *dims, npy_intp *strides)
{
    int old = 0, axis = 0;
    npy_intp last = itemsize;
    while (axis < ndim && old < old_ndim) {
        int old_end = old + 1, end = axis + 1;
        npy_intp old_size = old_dims[old], size = dims[axis];
        while (size != old_size) {
            if (size < old_size) {
                size *= dims[end++];
            }
            else {
                old_size *= old_dims[old_end++];
            }
        }
        for (int i = old; i < old_end - 1; i++) {
            if (old_strides[i] != layout_scaled(old_strides[i + 1], old_dims[i + 1])) {
                return false;
            }
        }
        last = old_strides[old_end - 1];
        strides[end - 1] = last;
        for (int i = end - 1; i > axis; i--) {
            strides[i - 1] = layout_scaled(strides[i], dims[i]);
        }
        last = strides[end - 1];
        old = old_end;
        axis = end;
    }
    while (axis < ndim) {
        strides[axis++] = last;
    }
    return true;
}

bool
layout_reshape(const Value *value, npy_intp itemsize, int ndim, const npy_intp *dims,
               npy_intp *strides)
{
    npy_intp old_dims[MAX_NDIM], old_strides[MAX_NDIM];
    int count = 0;
    if (value->size == 0
        || layout_is_dense_in_order(value->ndim, value->dims, value->strides, itemsize)) {
        layout_dense_strides(ndim, dims, itemsize, strides);
        return true;
    }
    for (int i = 0; i < value->ndim; i++) {
        if (value->dims[i] != 1) {
            old_dims[count] = value->dims[i];
            old_strides[count++] = value->strides[i];
        }
    }
    return split_axes(count, old_dims, old_strides, itemsize, ndim, dims, strides);
}

/* The strides of an array in the same order whose items have `to` bytes instead of `from`. */
void
layout_scale_strides(int ndim, const npy_intp *strides, npy_intp from, npy_intp to, npy_intp *out)
{
    for (int i = 0; i < ndim; i++) {
        out[i] = layout_scaled(strides[i] / from, to);
    }
}
