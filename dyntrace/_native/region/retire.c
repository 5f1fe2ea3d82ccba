/* When a region retires, and when it rests.

   A region retires if it fails again and again, or if no kind of input fits it. It rests if it has
   declined many calls in a row, because no entry fits them or the original instructions are faster.
   Invariants: a region that mostly succeeds does not retire for rare failures. A resting region is
   still called now and then, since its inputs may change. The twin is in runtime/region.py, the
   causes are in runtime/causes.py. Read call.c for the callers. */
#include "region/retire.h"

#include "cpython/failures.h"

enum {
    WINDOW = 512, /* the calls among which failures are counted, about */
    SHARE = 8,    /* retires if one call in SHARE has failed */
    MISS_LIMIT = 64,
    REST_AFTER = 256, /* declined calls in a row */
};

/* Calls the callback, if any; -1 with an exception that was thrown into it from outside. */
static int
tell(Region *region, PyObject *callback)
{
    if (callback == NULL) {
        return 0;
    }
    Py_INCREF(callback);
    PyObject *answer = PyObject_CallOneArg(callback, (PyObject *)region);
    int status = answer == NULL && failure_of_callback(callback, (PyObject *)region) ? -1 : 0;
    if (status == 0) {
        PyErr_Clear();
    }
    Py_XDECREF(answer);
    Py_DECREF(callback);
    return status;
}

int
retire(Region *region, Cause cause)
{
    region->retired = true;
    region->cause = cause;
    return tell(region, region->on_retire);
}

/* Scales old failures down, so that they count less than new ones. */
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

/* For a region that adds no more entries. A miss costs little, so it takes many. */
int
retire_after_miss(Region *region)
{
    bool too_many = region->deopt_limit > 0 && region->misses >= MISS_LIMIT
                    && (region->calls - region->misses) * SHARE <= region->misses;
    return too_many && !region->retired ? retire(region, MISSES) : 0;
}

static int
rest(Region *region, bool resting)
{
    region->resting = resting;
    return tell(region, region->on_rest);
}

int
retire_end_rest(Region *region)
{
    region->declined = 0;
    return region->resting ? rest(region, false) : 0;
}

int
retire_after_decline(Region *region)
{
    region->countdown = region->sampled;
    if (region->resting) {
        return 0;
    }
    return ++region->declined >= REST_AFTER ? rest(region, true) : 0;
}

bool
retire_rest_is_over(Region *region)
{
    return --region->countdown <= 0;
}
