/* From the record of an instruction to its structure. */
#ifndef DYNTRACE_VM_PROGRAM_PARSE_INSTRUCTION_H
#define DYNTRACE_VM_PROGRAM_PARSE_INSTRUCTION_H

#include "vm/program/program.h"

/* -1 with an exception, half filled in. */
int parse_instruction(const Program *program, Instr *instr, PyObject *source);

#endif
