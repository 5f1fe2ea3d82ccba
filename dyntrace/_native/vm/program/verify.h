/* Verification: a program that passes can be planned and run without further checks. */
#ifndef DYNTRACE_VM_PROGRAM_VERIFY_H
#define DYNTRACE_VM_PROGRAM_VERIFY_H

#include "vm/program/program.h"

int verify_program(const Program *program); /* -1 with ValueError */

#endif
