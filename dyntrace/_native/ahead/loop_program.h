/* LoopProgram: the callable that runs a loop's machine code. */
#ifndef DYNTRACE_AHEAD_LOOP_PROGRAM_H
#define DYNTRACE_AHEAD_LOOP_PROGRAM_H

#include <Python.h>

extern PyTypeObject LoopProgram_Type;

#endif
