/* The machine: Program, the callable that runs a lowered graph. */
#ifndef DYNTRACE_VM_MACHINE_H
#define DYNTRACE_VM_MACHINE_H

#include <Python.h>

extern PyTypeObject Program_Type;
int machine_init(void);

#endif
