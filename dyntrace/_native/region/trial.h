/* Trial: is a region faster than the original instructions? */
#ifndef DYNTRACE_REGION_TRIAL_H
#define DYNTRACE_REGION_TRIAL_H

#include <Python.h>
#include <stdbool.h>

enum { BUCKETS = 32 };
typedef struct {
    unsigned char quads, faster, slower, much_slower; /* how the comparisons ended */
    unsigned char verdict;
    long long due, holds; /* the call at which the verdict is old; calls for which the next holds */
} Bucket;
typedef struct {
    long long next;       /* the call to look at next; LLONG_MAX: none */
    long long started;    /* when the original instructions began, 0 while they do not run */
    PyThreadState *owner; /* whose call is compared */
    long long region, original; /* time taken in the current comparison */
    long long slower_run, faster_original; /* of the two runs of each in the comparison */
    int turn, bucket, drops;
    /* running: the region, in a comparison; warm: one has ended; mixed: a bucket has lost */
    bool running, warm, mixed;
    bool decided; /* the last call needed no comparison: the next does not read the clock before */
    Bucket buckets[BUCKETS];
} Trial;
typedef enum { TURN_RUN, TURN_TIMED, TURN_ORIGINAL, TURN_LOST } Turn;
void trial_begin(Trial *trial);
long long trial_clock(void);
Turn trial_turn(Trial *trial, long long call, long long bytes);
void trial_start_original(Trial *trial);
void trial_end_original(Trial *trial);
bool trial_end_region(Trial *trial, long long call, long long time); /* is it lost for good? */
void trial_drop(Trial *trial);
Py_ssize_t trial_lost(const Trial *trial, long long *lost); /* fills in the buckets that lost */
PyObject *trial_set_clock(PyObject *module, PyObject *clock);

#endif
