/* Do two code objects agree on what lies in a frame?

   Invariant: a frame is moved only between codes for which this holds; what is checked besides is
   the room for the stack, which depends on who owns the frame. Used by osr.c, hook.c and by the
   sampler's move.c. */
#ifndef DYNTRACE_FRAME_LAYOUT_H
#define DYNTRACE_FRAME_LAYOUT_H

#include "cpython/frame_py3xx.h"

enum { SUSPENDING = CO_GENERATOR | CO_COROUTINE | CO_ASYNC_GENERATOR };

/* Do the codes agree on what lies in a frame, but for the size of the stack? */
static inline bool
same_layout(PyCodeObject *one, PyCodeObject *other)
{
    if (one->co_nlocalsplus != other->co_nlocalsplus
        || (one->co_flags & SUSPENDING) != (other->co_flags & SUSPENDING)
        || one->co_argcount != other->co_argcount
        || one->co_kwonlyargcount != other->co_kwonlyargcount) {
        return false;
    }
    const char *kinds = PyBytes_AS_STRING(one->co_localspluskinds);
    return memcmp(kinds, PyBytes_AS_STRING(other->co_localspluskinds),
                  (size_t)one->co_nlocalsplus) == 0;
}

#endif
