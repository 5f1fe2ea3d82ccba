/* Does it pay to have others join in jobs of a kind? Pure arithmetic on times. */
#ifndef DYNTRACE_JOINING_H
#define DYNTRACE_JOINING_H

/* Of one kind; all zero at first. */
typedef struct {
    double rate;    /* nanoseconds that a job takes alone for each of its estimate; a median */
    double account; /* nanoseconds won by joining; below zero: lost */
    int cuts;       /* how often the number of helpers is halved */
} Joining;

/* A job with helpers; times in nanoseconds of its owner. */
typedef struct {
    double estimate;      /* of its time alone */
    double waking, busy;  /* spent on waking helpers, on its own share of the work */
    double waited;        /* for helpers, at the end */
    double own, all;      /* units of work: the owner's share, and all of it */
} Joined;

/* How many of `wanted` helpers may join in the next job. */
int joining_helpers(Joining *joining, int wanted, double estimate);
void joining_note(Joining *joining, const Joined *job);

#endif
