/* NumPy's context variables inside a region. */
#ifndef DYNTRACE_VM_FLOATING_H
#define DYNTRACE_VM_FLOATING_H

#include <Python.h>

typedef struct {
    PyObject *before;  /* the thread's context variables before the region; NULL: no change */
    PyObject *inside;  /* the context variables inside the region */
    PyObject *capsule; /* NumPy's modes before the region */
} Floating;
int floating_enter(Floating *state); /* -1 with an exception if the modes cannot be read */
void floating_leave(Floating *state); /* keeps a pending exception */
/* The flags that NumPy would not ignore: invalid 1, divide 4, overflow 8, underflow 16 (the bits of
   MXCSR). -1 with an exception if the modes cannot be read. */
int floating_trouble(void);
int floating_init(void);

#endif
