/* Threads that share the parts of a job. Needs nothing of Python but the name Py_ssize_t. */
#ifndef DYNTRACE_POOL_H
#define DYNTRACE_POOL_H

#ifndef Py_PYTHON_H
#include <sys/types.h>
typedef ssize_t Py_ssize_t; /* as in Python.h; C11 allows it twice */
#endif

/* A part of a job; `part` runs over 0..parts-1, each once, on any thread, without the GIL. Returns
   how many units of work it has done: which of them a part does is found while it runs. */
typedef Py_ssize_t (*PoolTask)(void *context, Py_ssize_t part);

/* Runs all parts, the caller's thread included; returns when all are done. The caller need not hold
   the GIL and must not need it meanwhile; a part must not fork, and leaves rounding as it was.
   Workers compute in the caller's floating-point environment. The flags that they raise are set in
   the caller's on return. `estimate` is the time in nanoseconds that the caller would take alone;
   0: share in any case. The caller runs all parts itself if there is one thread, if another thread
   uses the pool, or while sharing does not pay for jobs of about that time. Never fails. */
void pool_run(PoolTask task, void *context, Py_ssize_t parts, double estimate);

Py_ssize_t pool_threads(void); /* how many threads a job may use, the caller included */
void pool_set_threads(Py_ssize_t count); /* from the next job on; surplus workers end */
int pool_init(void); /* call once, before the others; starts no thread; -1: no memory */

#endif
