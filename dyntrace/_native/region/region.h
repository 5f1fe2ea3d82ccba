/* Region: a polymorphic inline cache of entries. Read region.c for the object, call.c for the
   call. */
#ifndef DYNTRACE_REGION_REGION_H
#define DYNTRACE_REGION_REGION_H

#include "region/trial.h"

typedef struct Region Region;
typedef struct Handle Handle;
typedef enum { NO_CAUSE, MISSES, FLOATING, ERRORS, DECLINED, SLOWER, CAUSES } Cause;
struct Region {
    PyObject_HEAD
    Handle *handle;
    Handle *marker;    /* called at the end of the original instructions */
    PyObject *entries; /* tuple of Entry, replaced as a whole */
    PyObject *on_miss; /* NULL or a callable */
    PyObject *on_retire; /* NULL or a callable */
    PyObject *on_rest; /* NULL or a callable */
    PyObject *weakrefs;
    Py_ssize_t last;   /* the entry that was hit last */
    long long calls, deopts, misses, learnt, skips, compared, deopt_limit;
    long long stub_time; /* nanoseconds that the stub takes outside the call */
    int declined;      /* calls in a row that it did not run */
    int countdown;     /* while it rests: calls to skip until one is let through */
    int sampled;       /* what `countdown` starts from */
    long long replays[CAUSES]; /* `deopts` by cause */
    long long window;  /* the call since which `failures` are counted */
    long long failures[CAUSES];
    int cause;
    char commits; /* it has an effect and no outputs: commit the effect and return True */
    char retired;
    char resting; /* it has declined many calls in a row */
    Trial trial;
};

extern PyTypeObject Region_Type;
int region_init(void);

#endif
