/* From the Python description of a program to its structures. */
#ifndef DYNTRACE_VM_PROGRAM_PARSE_H
#define DYNTRACE_VM_PROGRAM_PARSE_H

#include "vm/program/program.h"

int parse_program(Program *program, PyObject *spec); /* -1 with an exception, half filled in */

#endif
