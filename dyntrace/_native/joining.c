/* Does it pay to have others join in jobs of a kind?

   On a busy machine a thread that has joined may lose its CPU in the middle of its work, and the
   job waits for milliseconds. What helpers have done, at the owner's rate, less what the owner spent
   on waking and waiting, is summed up, the past fading. Where the sum says that joining loses, the
   number of helpers is halved for a rest of some jobs. Rests double, and halve again as joining wins.
   The rate is a median: jobs in which the owner itself lost its CPU do not count as long ones. */
#include "joining.h"

static const double MEMORY = 64;        /* jobs after which a third of a gain still counts */
static const double LOST = 4, WON = 16; /* times of a job alone that decide */
static const double STEP = 1.0 / 16;    /* by which the median follows */
enum { SHORTEST = 16, LONGEST = 1024, MOST_CUTS = 10 };

int
joining_helpers(Joining *joining, int wanted)
{
    if (joining->cuts > 0 && joining->rest-- == 0) {
        joining->cuts--;
        joining->rest = joining->pause;
        joining->balance = 0;
    }
    return wanted >> joining->cuts;
}

static void
rest(Joining *joining)
{
    int pause = joining->pause * 2;
    joining->pause = pause < SHORTEST ? SHORTEST : pause > LONGEST ? LONGEST : pause;
    joining->rest = joining->pause;
    joining->cuts += joining->cuts < MOST_CUTS;
    joining->balance = 0;
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
    double alone = joining->rate * job->estimate;
    double won = alone * (1 - job->own / job->all) - job->waking - job->waited;
    joining->balance += won - joining->balance / MEMORY;
    if (joining->balance < -LOST * alone) {
        rest(joining);
    }
    else if (joining->balance > WON * alone) {
        joining->pause /= 2;
        joining->balance = WON / 2 * alone;
    }
}
