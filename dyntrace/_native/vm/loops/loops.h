/* Loop: a function that computes a run of elements, and facts about its bits, flags and cost. */
#ifndef DYNTRACE_VM_LOOPS_LOOPS_H
#define DYNTRACE_VM_LOOPS_LOOPS_H

#include "vm/array/limits.h"
#include "vm/array/numpy.h"

/* What the bits of an element depend on: see EXACTNESS in vm/instructions.def. */
typedef enum SMALL {
#define EXACTNESS(name) name,
#include "vm/instructions.def"
} Exactness;

typedef struct {
    PyArrayMethod_StridedLoop *function;
    PyArrayMethod_Context *context;
    NpyAuxData *auxdata;
    PyObject *capsule;      /* owns the three above; NULL: a loop of loops.c */
    int nin, nout;
    PyArray_Descr *descr[MAX_ARGS];
    bool flags;             /* may set floating-point flags */
    Exactness exact;
    bool clears;            /* may clear floating-point flags that were up before */
    float cost;             /* estimated nanoseconds for an element */
} Loop;

Loop *loop_new(PyObject *description); /* NULL with an exception */
void loop_free(Loop *loop);
PyArrayMethod_StridedLoop *loop_cast(int from, int to); /* NULL: there is none */
PyArrayMethod_StridedLoop *loop_copy(npy_intp itemsize);
PyArrayMethod_StridedLoop *loop_stream(void); /* counts bytes; NULL: not on this processor */

#endif
