/* Calls: the steps of a program that call Python. */
#ifndef DYNTRACE_VM_CALLS_H
#define DYNTRACE_VM_CALLS_H

#include "vm/program/program.h"
#include "vm/program/status.h"

Status call_step(const Program *program, const ProgramStep *step, PyObject **objects,
                 PyObject **jobs);
Status call_run(const Program *program, const PythonCall *call, PyObject **objects);
void call_drain(PyObject *jobs); /* waits for the jobs; keeps a pending exception */
int calls_init(void);

#endif
