/* Decides how many helpers join in a job, so that joining costs little where it does not pay.

   On a busy machine a helper may lose its CPU in the middle of its work. The job then waits for it
   for milliseconds. So each kind of job has an account: it gains the work of helpers at the owner's
   rate, and loses what the owner spent on waking them and waiting. An overdrawn account halves the
   number of helpers until the debt is paid, by what fewer helpers gain and by INTEREST of the time
   that jobs take meanwhile. Invariant: in the long run joining costs at most that share. The rate
   is a median, so jobs in which the owner lost its CPU do not raise it. Read pool.c for the use. */
#include "os/joining.h"

#include <stdbool.h>

static const double INTEREST = 1.0 / 32;
static const double CREDIT = 8e6;    /* nanoseconds: the account does not rise above it */
static const double OVERDRAFT = 2e6; /* nanoseconds; doubles with each halving */
static const double DEBT = 32e6;     /* nanoseconds: the account does not fall below it */
static const double STEP = 1.0 / 16; /* share by which a job moves the median */
enum { MOST_CUTS = 10 };

int
joining_helpers(Joining *joining, int wanted, double estimate)
{
    if (joining->cuts > 0) {
        joining->account += INTEREST * joining->rate * estimate;
        joining->cuts -= joining->account >= 0;
    }
    return wanted >> joining->cuts;
}

static void
follow(Joining *joining, double rate)
{
    if (joining->rate == 0) {
        joining->rate = rate;
    }
    else {
        joining->rate *= rate > joining->rate ? 1 + STEP : 1 - STEP;
    }
}

void
joining_note(Joining *joining, const Joined *job)
{
    if (job->own > 0) {
        follow(joining, job->busy / job->own * job->all / job->estimate);
    }
    double others = joining->rate * job->estimate * (1 - job->own / job->all);
    double account = joining->account + others - job->waking - job->waited;
    joining->account = account > CREDIT ? CREDIT : account < -DEBT ? -DEBT : account;
    bool overdrawn = account < -OVERDRAFT * (1 << joining->cuts);
    joining->cuts += overdrawn && joining->cuts < MOST_CUTS;
}
