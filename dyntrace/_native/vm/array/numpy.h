/* NumPy's C API. All files of the extension share one table of its functions.

   Invariant: only arrays.c defines the table and fills it in; the other files refer to it. */
#ifndef DYNTRACE_VM_ARRAY_NUMPY_H
#define DYNTRACE_VM_ARRAY_NUMPY_H

#define PY_SSIZE_T_CLEAN
#include <Python.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#define NPY_NO_DEPRECATED_API NPY_2_0_API_VERSION
#define NPY_TARGET_VERSION NPY_2_0_API_VERSION
#define PY_ARRAY_UNIQUE_SYMBOL dyntrace_array_api
#ifndef DYNTRACE_IMPORTS_NUMPY
#define NO_IMPORT_ARRAY
#endif
#include <numpy/arrayobject.h>
#include <numpy/arrayscalars.h>
#include <numpy/dtype_api.h>

#endif
