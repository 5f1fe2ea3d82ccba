/* Commit: the trailing write of a region that also stores results. */
#ifndef DYNTRACE_VM_COMMIT_H
#define DYNTRACE_VM_COMMIT_H

#include "vm/program/program.h"
#include "vm/program/status.h"

extern PyTypeObject Commit_Type;
Status commit_step(const ProgramStep *step, PyObject **objects);

#endif
