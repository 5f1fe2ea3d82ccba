/* Where a worker is woken: on another CPU than the thread that wakes it. */
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
    cpu_set_t all; /* where it may run */
    int avoided;   /* but not before it is woken; -1: nothing is */
#else
    char nothing;
#endif
} Place;

int placing_cpu(void);        /* the calling thread's; -1: unknown */
int placing_count_cpus(void); /* those the calling thread may use */

void placing_avoid(Place *place, int cpu);  /* of the calling thread, which is about to sleep */
void placing_change(Place *place, int cpu); /* of a sleeping thread: avoid another CPU */
void placing_restore(const Place *place);   /* of the calling thread, which has been woken */

#endif
