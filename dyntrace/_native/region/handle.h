/* Handle: what compiled code holds of a region. */
#ifndef DYNTRACE_REGION_HANDLE_H
#define DYNTRACE_REGION_HANDLE_H

#include "region/region.h"

struct Handle {
    PyObject_HEAD
    vectorcallfunc call;
    Region *region; /* not owned: the region takes itself out when it dies */
    PyObject *weakrefs;
};

extern PyTypeObject Handle_Type;
Handle *handle_of(Region *region, bool marker); /* new; NULL with an exception */

#endif
