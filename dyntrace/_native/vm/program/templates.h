/* Templates: arguments of a call or outputs of a program, in which registers occur. */
#ifndef DYNTRACE_VM_PROGRAM_TEMPLATES_H
#define DYNTRACE_VM_PROGRAM_TEMPLATES_H

#include "vm/array/limits.h"
#include "vm/array/numpy.h"

typedef enum SMALL {
#define TEMPLATE(name, fields) TEMPLATE_##name,
#include "vm/instructions.def"
} TemplateCode;

/* Checks a tuple of templates and lists its registers, which the caller frees; returns their
   number, or -1 with an exception. */
int templates_registers(PyObject *templates, int register_count, short **regs);
/* Builds the object of a template. `known` maps numbers to containers that are built; NULL: no
   container occurs twice. */
PyObject *template_build(PyObject *template, PyObject **objects, PyObject *known);

#endif
