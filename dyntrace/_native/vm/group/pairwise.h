/* How NumPy's pairwise sum splits its numbers.

   `pairwise_sum` in numpy/_core/src/umath/loops_utils.h.src adds fewer than 8 numbers one after the
   other, and splits more than 128 in the middle, rounded down to a multiple of 8. */
#ifndef DYNTRACE_VM_GROUP_PAIRWISE_H
#define DYNTRACE_VM_GROUP_PAIRWISE_H

#include "vm/array/numpy.h"

enum { PAIRWISE_FROM = 8 /* numbers; fewer are added one after the other */ };

/* How many of `length` elements the first half has; `unit`: numbers in an element. */
static inline npy_intp
pairwise_half(npy_intp length, npy_intp unit)
{
    npy_intp half = length * unit / 2;
    return (half - half % 8) / unit;
}

#endif
