/* Loop: the function that computes many elements, and what is known of it. */
#ifndef DYNTRACE_VM_LOOPS_LOOPS_H
#define DYNTRACE_VM_LOOPS_LOOPS_H

#include "vm/array/limits.h"
#include "vm/array/numpy.h"

/* What the bits of an element depend on, as in `exec.lower.inner_loops`: on its place in NumPy's own call of the loop;
   on how far it is from the loop's begin, by multiples of 64; on strides, too; on its operands only. */
typedef enum SMALL {
#define EXACTNESS(name) name,
#include "vm/instructions.def"
} Exactness;

typedef struct {
    PyArrayMethod_StridedLoop *function;
    PyArrayMethod_Context *context;
    NpyAuxData *auxdata;
    PyObject *capsule;      /* owns the three above where they are NumPy's */
    int nin, nout;
    PyArray_Descr *descr[MAX_ARGS];
    bool flags;             /* may set floating-point flags */
    Exactness exact;         /* what the bits of an element depend on */
    bool clears;            /* may clear flags that were up before */
    float cost;             /* nanoseconds for an element, roughly */
} Loop;

Loop *loop_new(PyObject *description); /* NULL with an exception */
void loop_free(Loop *loop);
PyArrayMethod_StridedLoop *loop_cast(int from, int to); /* NULL: there is none */
PyArrayMethod_StridedLoop *loop_copy(npy_intp itemsize);
PyArrayMethod_StridedLoop *loop_stream(void); /* dense bytes, past the caches; NULL: there is none */

#endif
