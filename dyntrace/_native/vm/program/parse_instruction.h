/* Parsing of one instruction. */
#ifndef DYNTRACE_VM_PROGRAM_PARSE_INSTRUCTION_H
#define DYNTRACE_VM_PROGRAM_PARSE_INSTRUCTION_H

#include "vm/program/program.h"

/* -1 with an exception; the caller clears. */
int parse_instruction(const Program *program, Instr *instr, PyObject *source);

#endif
