/* Where a sleeping worker wakes: on another CPU than the thread that wakes it.

   Some kernels place a woken thread on its waker's CPU, which is busy, and move it only after a
   millisecond or more, when the job is over. So a worker removes the CPU of the pool's owner from
   its affinity before it sleeps, and restores the affinity when it runs again.
   Invariant: if somebody else has set the affinity meanwhile, it stays. Read pool.c for the use. */
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
    place->avoided = CPU_SETSIZE; /* no CPU yet, but one may be removed */
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
