/* Where a worker is woken: on another CPU than the thread that wakes it.

   Some kernels put a woken thread on the CPU of its waker, busy though that is, and need a
   millisecond or more to notice; the job is over by then. So a worker sleeps with the CPU of the
   pool's owner taken out of its affinity, and puts it back as soon as it runs.
   Invariant: an affinity that somebody else has set meanwhile stays. */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include "os/placing.h"

#include <unistd.h>

#ifdef __linux__

#include <sys/syscall.h>

int
placing_cpu(void)
{
    return sched_getcpu();
}

int
placing_count_cpus(void)
{
    cpu_set_t cpus;
    return sched_getaffinity(0, sizeof cpus, &cpus) == 0 ? CPU_COUNT(&cpus) : 1;
}

static cpu_set_t
without(cpu_set_t cpus, int cpu)
{
    CPU_CLR((size_t)cpu, &cpus);
    return cpus;
}

void
placing_change(Place *place, int cpu)
{
    if (place->avoided < 0 || place->avoided == cpu || cpu < 0) {
        return;
    }
    cpu_set_t others = without(place->all, cpu);
    if (CPU_COUNT(&others) > 0 && sched_setaffinity(place->thread, sizeof others, &others) == 0) {
        place->avoided = cpu;
    }
}

void
placing_avoid(Place *place, int cpu)
{
    place->thread = (pid_t)syscall(SYS_gettid);
    place->avoided = -1;
    if (cpu < 0 || sched_getaffinity(0, sizeof place->all, &place->all) != 0
        || CPU_COUNT(&place->all) < 2) {
        return;
    }
    place->avoided = CPU_SETSIZE; /* none so far */
    placing_change(place, cpu);
}

void
placing_restore(const Place *place)
{
    cpu_set_t now;
    if (place->avoided < 0 || sched_getaffinity(0, sizeof now, &now) != 0) {
        return;
    }
    cpu_set_t ours = without(place->all, place->avoided);
    if (CPU_EQUAL(&now, &ours)) {
        sched_setaffinity(0, sizeof place->all, &place->all);
    }
}

#else

int
placing_cpu(void)
{
    return -1;
}

int
placing_count_cpus(void)
{
    long count = sysconf(_SC_NPROCESSORS_ONLN);
    return count < 1 ? 1 : (int)count;
}

void
placing_avoid(Place *place, int cpu)
{
    (void)place;
    (void)cpu;
}

void
placing_change(Place *place, int cpu)
{
    (void)place;
    (void)cpu;
}

void
placing_restore(const Place *place)
{
    (void)place;
}

#endif
