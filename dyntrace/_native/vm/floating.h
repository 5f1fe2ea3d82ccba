/* NumPy's context variables inside a region. */
#ifndef DYNTRACE_VM_FLOATING_H
#define DYNTRACE_VM_FLOATING_H

#include <Python.h>

typedef struct {
    PyObject *before; /* the thread's context variables; NULL: nothing was changed */
    PyObject *inside; /* those inside the region */
    PyObject *capsule; /* the modes before */
} Floating;
int floating_enter(Floating *state); /* -1 with an exception if the modes cannot be read */
void floating_leave(Floating *state); /* keeps a pending exception */
int floating_init(void);

#endif
