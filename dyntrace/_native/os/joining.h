/* How many helpers join in jobs of a kind. Pure arithmetic on times; joining.c says how. */
#ifndef DYNTRACE_JOINING_H
#define DYNTRACE_JOINING_H

/* What is known of one kind of job; all zero at first. */
typedef struct {
    double rate;    /* time a job takes without helpers, as a multiple of its estimate; a median */
    double account; /* nanoseconds that joining has won; negative: lost */
    int cuts;       /* how often the number of helpers is halved */
} Joining;

/* A job that had helpers. Times are nanoseconds of its owner. */
typedef struct {
    double estimate;      /* of its time alone */
    double waking, busy;  /* to wake helpers, to do its own share of the work */
    double waited;        /* at the end, for helpers */
    double own, all;      /* units of work: the owner's share, and all of it */
} Joined;

/* How many of `wanted` helpers may join in the next job. */
int joining_helpers(Joining *joining, int wanted, double estimate);
void joining_note(Joining *joining, const Joined *job);

#endif
