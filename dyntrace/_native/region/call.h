/* The call of a region. */
#ifndef DYNTRACE_REGION_CALL_H
#define DYNTRACE_REGION_CALL_H

#include "region/region.h"

/* A result, None for "run the original instructions", or NULL with an exception from outside. */
PyObject *call_region(Region *region, PyObject *const *args, size_t nargsf);
int call_init(void);

#endif
