/* Templates: the arguments of a call, or what a program returns, with registers in them. */
#ifndef DYNTRACE_VM_PROGRAM_TEMPLATES_H
#define DYNTRACE_VM_PROGRAM_TEMPLATES_H

#include "vm/array/limits.h"
#include "vm/array/numpy.h"

typedef enum SMALL {
#define TEMPLATE(name, fields) TEMPLATE_##name,
#include "vm/instructions.def"
} TemplateCode;

/* The registers in a tuple of templates, to be freed; their number, or -1 with an exception. */
int templates_registers(PyObject *templates, int register_count, short **regs);
/* What a template stands for; `known`: by number, what has been built; NULL: nothing is shared. */
PyObject *template_build(PyObject *template, PyObject **objects, PyObject *known);

#endif
