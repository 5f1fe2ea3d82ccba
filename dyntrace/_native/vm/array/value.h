/* Value: where a register's elements are, and how they lie there. */
#ifndef DYNTRACE_VM_ARRAY_VALUE_H
#define DYNTRACE_VM_ARRAY_VALUE_H

#include "vm/array/limits.h"
#include "vm/array/numpy.h"

typedef enum SMALL { NOWHERE, IN_BASE, IN_TILE, IN_ROW, IN_OBJECT, IN_COUNT } Where;

/* A register while a segment is planned. */
typedef struct {
    int ndim;
    npy_intp size;
    Where where;
    bool owns;           /* it owns its memory, as eager has it */
    short base;          /* IN_BASE */
    short group;         /* the group that makes it; -1: none */
    short operand;       /* IN_TILE, IN_ROW: the group's operand */
    npy_intp offset;
    npy_intp dims[MAX_NDIM], strides[MAX_NDIM]; /* the first `ndim` hold */
} Value;

/* A value without dimensions; of the arrays at its end nothing is touched. */
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

void value_load(PyArrayObject *array, Value *value); /* IN_BASE; the base is the caller's to set */
PyObject *value_view(PyArrayObject *owner, const Value *value, char *address); /* NULL: exception */

#endif
