/* Where a sleeping worker wakes: on another CPU than the thread that wakes it. */
#ifndef DYNTRACE_PLACING_H
#define DYNTRACE_PLACING_H

#ifndef _GNU_SOURCE
#error "define _GNU_SOURCE before the first header"
#endif

#include <sched.h>
#include <stdbool.h>
#include <sys/types.h>

typedef struct {
#ifdef __linux__
    pid_t thread;
    cpu_set_t all; /* the affinity before the worker slept */
    int avoided;   /* the CPU removed from it; -1: the affinity does not change */
#else
    char nothing;
#endif
} Place;

int placing_cpu(void);        /* the calling thread's; -1: unknown */
int placing_count_cpus(void); /* the number that the calling thread may use */

void placing_avoid(Place *place, int cpu);  /* the calling thread will sleep */
void placing_change(Place *place, int cpu); /* make a sleeping thread avoid another CPU */
void placing_restore(const Place *place);   /* the calling thread has woken */

#endif
