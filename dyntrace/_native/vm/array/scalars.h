/* Conversion of numbers to the dtype of a loop. */
#ifndef DYNTRACE_VM_ARRAY_SCALARS_H
#define DYNTRACE_VM_ARRAY_SCALARS_H

#include "vm/array/numpy.h"

/* False, without an exception, where NumPy would warn or raise. */
bool scalar_store(const PyArray_Descr *descr, PyObject *object, char *to);
bool scalar_store_count(const PyArray_Descr *descr, npy_intp count, char *to);

#endif
