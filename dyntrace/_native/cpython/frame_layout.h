/* Do two code objects lay out a frame alike?

   Invariant: a running frame gets another code object only if this holds. The callers also check
   that the stack fits, which depends on who owns the frame. They are osr.c, hook.c and
   _sampler/move.c. */
#ifndef DYNTRACE_FRAME_LAYOUT_H
#define DYNTRACE_FRAME_LAYOUT_H

#include "cpython/frame_py3xx.h"

enum { SUSPENDING = CO_GENERATOR | CO_COROUTINE | CO_ASYNC_GENERATOR };

/* Compares locals, cells and arguments, and whether the frame is a generator's; not the stack. */
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
