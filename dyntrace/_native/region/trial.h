/* Trial: is a region faster than the original instructions? trial.c says how it is measured. */
#ifndef DYNTRACE_REGION_TRIAL_H
#define DYNTRACE_REGION_TRIAL_H

#include <Python.h>
#include <stdbool.h>

enum { BUCKETS = 32 };
typedef struct {
    unsigned char quads, faster, slower, much_slower; /* comparisons, in all and by result */
    unsigned char verdict;
    long long due, holds; /* the call until which the verdict holds; how long the next will */
} Bucket;
typedef struct {
    long long next;       /* the next call to look at; LLONG_MAX: none */
    long long started;    /* when the original instructions began; 0: they do not run */
    PyThreadState *owner; /* the thread whose calls are compared */
    long long region, original; /* nanoseconds in the current comparison */
    long long slower_run, faster_original; /* of its two calls each */
    int turn, bucket, drops;
    /* running: the region, in a comparison; warm: one has ended; mixed: a bucket has lost */
    bool running, warm, mixed;
    bool decided; /* the last call was in no comparison: the next does not read the clock */
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
Py_ssize_t trial_lost(const Trial *trial, long long *lost); /* the buckets where the region lost */
PyObject *trial_set_clock(PyObject *module, PyObject *clock);

#endif
