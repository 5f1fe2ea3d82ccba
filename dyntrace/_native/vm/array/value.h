/* Value: where the elements of a register are, and their dims and strides. */
#ifndef DYNTRACE_VM_ARRAY_VALUE_H
#define DYNTRACE_VM_ARRAY_VALUE_H

#include "vm/array/limits.h"
#include "vm/array/numpy.h"

/* Where a value is.
   IN_BASE   in memory             IN_OBJECT  an object that is no array, converted for each call
   IN_TILE   in a tile of a group  IN_ROW     one element for each row of a group
   IN_COUNT  a number of elements, known when the plan is made */
typedef enum SMALL { NOWHERE, IN_BASE, IN_TILE, IN_ROW, IN_OBJECT, IN_COUNT } Where;

/* What planning knows of a register. */
typedef struct {
    int ndim;
    npy_intp size;
    Where where;
    bool owns;           /* NumPy's array would own its data (OWNDATA) and be writeable */
    short base;          /* IN_BASE */
    short group;         /* the open group that makes it; -1: none */
    short operand;       /* IN_TILE, IN_ROW: the operand of the group */
    npy_intp offset;
    npy_intp dims[MAX_NDIM], strides[MAX_NDIM]; /* only the first `ndim` are set */
} Value;

/* Makes the value one of no dimensions; dims and strides, which are large, stay as they are. */
static inline void
value_clear(Value *value)
{
    memset(value, 0, offsetof(Value, dims));
}

static inline void
value_copy(Value *to, const Value *from)
{
    size_t size = (size_t)from->ndim * sizeof *from->dims;
    memcpy(to, from, offsetof(Value, dims));
    memcpy(to->dims, from->dims, size);
    memcpy(to->strides, from->strides, size);
}

void value_load(PyArrayObject *array, Value *value); /* IN_BASE; the caller sets the base */
PyObject *value_view(PyArrayObject *owner, const Value *value, char *address); /* NULL: exception */

#endif
