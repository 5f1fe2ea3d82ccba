/* What the value of a guard step must be. */
#ifndef DYNTRACE_REGION_CHECK_H
#define DYNTRACE_REGION_CHECK_H

#include "region/step.h"

/* Fills in a step; -1 with TypeError or ValueError if it is malformed. */
int check_compile(Step *step, const char *guard, PyObject *c, PyObject *d);
PyTypeObject *check_plain_type(const Step *step); /* of a "plain" guard; borrowed, or NULL */

#endif
