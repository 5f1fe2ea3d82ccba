/* Overlap: which arrays, or elements of one array, may share memory. */
#ifndef DYNTRACE_VM_ARRAY_OVERLAP_H
#define DYNTRACE_VM_ARRAY_OVERLAP_H

#include "vm/array/numpy.h"

typedef struct {
    const char *low, *high; /* the addresses of the first byte, and of the byte after the last */
} Range;

static inline bool
ranges_meet(Range one, Range other)
{
    return one.low < other.high && other.low < one.high;
}

/* `start`: the address of the element whose indexes are all zero. */
Range overlap_range(const char *start, int ndim, const npy_intp *dims, const npy_intp *strides,
                    npy_intp itemsize);
Range overlap_range_of(PyArrayObject *array);
/* Whether two elements of one array may share an address; true in doubt. */
bool overlap_within(int ndim, const npy_intp *dims, const npy_intp *strides, npy_intp itemsize);
/* Whether the arrays may share memory at different addresses: two mappings may be of one file. */
bool overlap_by_mapping(PyArrayObject *one, PyArrayObject *other);
/* Whether NumPy assigns an overlapping source without a temporary, and reads what it wrote. */
bool overlap_read_while_written(int ndim, const npy_intp *strides, int source_ndim,
                                const npy_intp *source_strides);

#endif
