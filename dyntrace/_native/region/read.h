/* Where the value of a guard step comes from. */
#ifndef DYNTRACE_REGION_READ_H
#define DYNTRACE_REGION_READ_H

#include "region/step.h"

/* Fills in a step; -1 with TypeError or ValueError if it is malformed. */
int read_compile(Step *step, const char *source, PyObject *a, PyObject *b, Py_ssize_t position);
void read_specialise(Step *step, PyTypeObject *type); /* a "plain" guard checks `type` */

#endif
