/* Does it pay to have others join in jobs of a kind?

   On a busy machine a thread that has joined may lose its CPU in the middle of its work, and the
   job waits for it for milliseconds. So an account is kept: what helpers have done, at the owner's
   rate, less what the owner spent on waking and waiting. When it is overdrawn, the number of helpers
   is halved until the debt is paid off, by what fewer helpers win and by INTEREST of the time that
   jobs take meanwhile. So joining costs no more than that share in the long run, however it goes.
   The rate is a median: jobs in which the owner itself lost its CPU do not count as long ones. */
#include "os/joining.h"

#include <stdbool.h>

static const double INTEREST = 1.0 / 32;
static const double CREDIT = 8e6;    /* nanoseconds: what was won longer ago does not count */
static const double OVERDRAFT = 2e6; /* nanoseconds; twice as much for each further halving */
static const double DEBT = 32e6;     /* nanoseconds: what was lost beyond is forgiven */
static const double STEP = 1.0 / 16; /* by which the median follows */
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
