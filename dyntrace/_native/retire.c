/* When a region is given up: it fails again and again, or no kind of input fits it.

   Invariant: a region that mostly succeeds is not given up for rare failures. The twin is in
   runtime/region.py; the causes are listed in runtime/causes.py. */
#include "native.h"

enum {
    WINDOW = 512, /* failures count as a share of about so many calls */
    SHARE = 8,    /* every so manieth call must have failed */
    MISS_LIMIT = 64,
};

int
retire(Region *region, Cause cause)
{
    region->retired = true;
    region->cause = cause;
    if (region->on_retire == NULL) {
        return 0;
    }
    PyObject *callback = Py_NewRef(region->on_retire);
    PyObject *answer = PyObject_CallOneArg(callback, (PyObject *)region);
    int status = answer == NULL && callback_failed(callback, (PyObject *)region) ? -1 : 0;
    if (status == 0) {
        PyErr_Clear();
    }
    Py_XDECREF(answer);
    Py_DECREF(callback);
    return status;
}

/* What happened long ago counts less. */
static void
move_window(Region *region)
{
    long long span = region->calls - region->window;
    if (span <= WINDOW) {
        return;
    }
    for (int i = 0; i < CAUSES; i++) {
        region->failures[i] = region->failures[i] * (WINDOW / 2) / span;
    }
    region->window = region->calls - WINDOW / 2;
}

int
retire_after_deopt(Region *region, Cause cause)
{
    region->deopts++;
    region->replays[cause]++;
    move_window(region);
    long long failures = ++region->failures[cause], limit = region->deopt_limit;
    bool too_many = limit > 0 && failures >= limit
                    && failures * SHARE >= region->calls - region->window;
    return too_many && !region->retired ? retire(region, cause) : 0;
}

/* A miss costs little, so it takes many, once no more entries are added. */
int
retire_after_miss(Region *region)
{
    bool too_many = region->deopt_limit > 0 && region->misses >= MISS_LIMIT
                    && (region->calls - region->misses) * SHARE <= region->misses;
    return too_many && !region->retired ? retire(region, MISSES) : 0;
}
