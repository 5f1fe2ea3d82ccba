/* How NumPy's pairwise sum splits its numbers.

   `pairwise_sum` in numpy/_core/src/umath/loops_utils.h.src adds fewer than 8 numbers from left to
   right, and splits more than 128 in the middle, rounded down to a multiple of 8. Read cut.c for
   who splits, combine.c for who adds. */
#ifndef DYNTRACE_VM_GROUP_PAIRWISE_H
#define DYNTRACE_VM_GROUP_PAIRWISE_H

#include "vm/array/numpy.h"

enum { PAIRWISE_FROM = 8 /* numbers; fewer are added from left to right */ };

/* The number of elements in the first half of `length`; an element has `unit` numbers. */
static inline npy_intp
pairwise_half(npy_intp length, npy_intp unit)
{
    npy_intp half = length * unit / 2;
    return (half - half % 8) / unit;
}

#endif
