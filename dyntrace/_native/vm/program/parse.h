/* Parsing: the description of a program becomes the structures of program.h. */
#ifndef DYNTRACE_VM_PROGRAM_PARSE_H
#define DYNTRACE_VM_PROGRAM_PARSE_H

#include "vm/program/program.h"

int parse_program(Program *program, PyObject *spec); /* -1 with an exception; the caller clears */

#endif
