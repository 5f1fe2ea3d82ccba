/* Trial: is a region faster than the original instructions that it replaces?

   Some calls run the region. Others leave the work to the original instructions, at whose end
   compiled code calls a marker. A comparison takes four calls in the order region, original,
   original, region, so that sizes that grow from call to call affect both sides alike. Inputs whose
   sizes are within a factor of four form a bucket. Each bucket has its own verdict, which is
   measured again after some thousand calls.
   Invariants: a comparison that was disturbed (a deopt, an exception, another thread) is dropped. A
   region that cannot be compared is kept. The twin is runtime/trial.py. Read call.c for the
   caller. */
#include "region/trial.h"

#include <limits.h>
#include <time.h>

enum {
    FIRST_CALL = 3,    /* the first calls compile the graph */
    LOOK_AGAIN = 256,  /* calls until inputs of a new size are looked for again */
    HOLDS = 4096, HOLDS_AT_MOST = 1 << 20, /* calls for which a verdict holds, doubled each time */
    LARGE_BUCKET = 11, /* a mebibyte: a region that is slower there stays slower */
    MAX_DROPS = 64,
    FEW = 3, SOME = 4, MANY = 8, MOST = 6, /* comparisons */
    DECLINE_TIME = 30, /* nanoseconds: what declining a call adds to the original's time */
    LONG_TIME = 20000000, /* nanoseconds: one comparison of this length decides */
};
enum { UNKNOWN, KEPT, LOST };

static PyObject *fake_clock; /* NULL, or the clock of a test */

PyObject *
trial_set_clock(PyObject *module, PyObject *clock)
{
    (void)module;
    Py_XSETREF(fake_clock, clock == Py_None ? NULL : Py_NewRef(clock));
    Py_RETURN_NONE;
}

long long
trial_clock(void)
{
    struct timespec time;
    if (fake_clock == NULL) {
        clock_gettime(CLOCK_MONOTONIC, &time);
        return time.tv_sec * 1000000000LL + time.tv_nsec;
    }
    PyObject *answer = PyObject_CallNoArgs(fake_clock);
    long long found = answer == NULL ? 0 : PyLong_AsLongLong(answer);
    Py_XDECREF(answer);
    PyErr_Clear();
    return found;
}

void
trial_begin(Trial *trial)
{
    trial->next = FIRST_CALL;
    trial->bucket = -1;
}

/* 0 without arrays; else a number that grows by one for each factor of four. */
static int
bucket_of(long long bytes)
{
    int bucket = 0;
    for (; bytes > 0 && bucket < BUCKETS - 1; bytes >>= 2) {
        bucket++;
    }
    return bucket;
}

void
trial_drop(Trial *trial)
{
    trial->started = 0;
    trial->running = false;
    if (trial->turn != 0 && ++trial->drops >= MAX_DROPS) {
        trial->next = trial->mixed ? trial->next : LLONG_MAX;
    }
    trial->turn = 0;
    trial->region = trial->original = 0;
}

/* Whether the call runs the region or the original instructions, as part of the comparison. */
static Turn
compared_turn(Trial *trial, int bucket)
{
    if (bucket != trial->bucket) {
        trial_drop(trial);
        trial->bucket = bucket;
    }
    trial->owner = PyThreadState_Get();
    trial->running = trial->turn == 0 || trial->turn == 3;
    return trial->running ? TURN_TIMED : TURN_ORIGINAL;
}

/* What call number `call`, on arrays of `bytes` bytes, has to do. */
Turn
trial_turn(Trial *trial, long long call, long long bytes)
{
    if (trial->started != 0 || trial->running) {
        trial_drop(trial);
    }
    int number = bucket_of(bytes);
    Bucket *bucket = &trial->buckets[number];
    if (bucket->verdict != UNKNOWN && call >= bucket->due) {
        *bucket = (Bucket){.holds = bucket->holds};
    }
    bool was_decided = trial->decided;
    trial->decided = bucket->verdict != UNKNOWN || trial->drops >= MAX_DROPS;
    if (bucket->verdict == LOST) {
        return TURN_LOST;
    }
    if (trial->decided) {
        trial->next = trial->mixed ? call + 1 : call + LOOK_AGAIN;
        return TURN_RUN;
    }
    return was_decided ? TURN_RUN : compared_turn(trial, number);
}

void
trial_start_original(Trial *trial)
{
    trial->started = trial_clock();
}

void
trial_end_original(Trial *trial)
{
    if (trial->owner == PyThreadState_Get()) {
        long long time = trial_clock() - trial->started - DECLINE_TIME;
        bool first = trial->turn == 1;
        trial->faster_original =
            first || time < trial->faster_original ? time : trial->faster_original;
        trial->original += time;
        trial->started = 0;
        trial->turn++;
    }
}

static int
verdict_of(const Bucket *bucket)
{
    if (bucket->quads >= FEW && bucket->faster == bucket->quads) {
        return KEPT;
    }
    if (bucket->quads >= SOME && bucket->much_slower == bucket->quads) {
        return LOST;
    }
    if (bucket->quads < MANY) {
        return UNKNOWN;
    }
    return bucket->slower >= MOST ? LOST : KEPT;
}

/* Counts a finished comparison; returns the verdict of the bucket. */
static int
compare(Trial *trial, Bucket *bucket)
{
    long long region = trial->region, original = trial->original;
    bool warm = trial->warm;
    trial->warm = true;
    if (region + original >= LONG_TIME && trial->slower_run < trial->faster_original) {
        return KEPT; /* even if another program took the CPU during one of the calls */
    }
    if (!warm) {
        return UNKNOWN; /* CPython had not specialised the original instructions yet */
    }
    bucket->quads++;
    bucket->faster += region * 10 < original * 9;
    bucket->slower += region * 100 > original * 102;
    bucket->much_slower += region * 4 > original * 5;
    return verdict_of(bucket);
}

static void
judge(Bucket *bucket, int verdict, long long call)
{
    bucket->verdict = (unsigned char)verdict;
    if (verdict != UNKNOWN) {
        long long holds = bucket->holds > 0 ? bucket->holds : HOLDS;
        bucket->due = call + holds;
        bucket->holds = 2 * holds < HOLDS_AT_MOST ? 2 * holds : HOLDS_AT_MOST;
    }
}

/* Is it slower whatever the size: on large inputs or without arrays, and faster in no bucket? */
static bool
is_lost_for_good(const Trial *trial)
{
    for (int i = 0; i < BUCKETS; i++) {
        const Bucket *bucket = &trial->buckets[i];
        if (bucket->verdict == KEPT || (bucket->quads > 0 && bucket->verdict != LOST)) {
            return false;
        }
    }
    return trial->bucket == 0 || trial->bucket >= LARGE_BUCKET;
}

bool
trial_end_region(Trial *trial, long long call, long long time)
{
    if (!trial->running || trial->owner != PyThreadState_Get()) {
        return false;
    }
    trial->running = false;
    trial->slower_run = trial->turn == 0 || time > trial->slower_run ? time : trial->slower_run;
    trial->region += time;
    if (trial->turn++ == 0) {
        return false;
    }
    Bucket *bucket = &trial->buckets[trial->bucket];
    judge(bucket, compare(trial, bucket), call);
    trial->turn = 0;
    trial->region = trial->original = 0;
    if (bucket->verdict == LOST) {
        trial->mixed = true;
        return is_lost_for_good(trial);
    }
    if (bucket->verdict == KEPT && !trial->mixed) {
        trial->next = call + LOOK_AGAIN;
    }
    return false;
}

Py_ssize_t
trial_lost(const Trial *trial, long long *lost)
{
    Py_ssize_t count = 0;
    for (int i = 0; i < BUCKETS; i++) {
        if (trial->buckets[i].verdict == LOST) {
            lost[count++] = i;
        }
    }
    return count;
}
