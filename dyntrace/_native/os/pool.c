/* Threads that share the parts of a job.

   One thread at a time owns the pool. It publishes a job by putting seats into `state`. A worker
   takes a seat, which counts it as joined, and claims parts until none is left. Then it removes the
   seats that nobody took, which closes the job, and leaves. The owner claims parts without a seat,
   then waits for the joined workers. So a late worker finds no seat, and nobody waits for it.
   Invariant: a thread writes the fields of a job only while no seat is free and nobody is joined.
   A waiting thread spins for SPIN nanoseconds and then blocks; with more threads than CPUs it
   blocks at once. After a fork the child has a pool without workers and without an owner.
   Read joining.c next, which measures whether sharing pays. */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include "os/pool.h"

#include <pthread.h>
#include <signal.h>
#include <stdalign.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <time.h>

#include "os/environment.h"
#include "os/joining.h"
#include "os/placing.h"

enum {
    SPIN = 50000,       /* nanoseconds: about the cost of sleeping and waking */
    SPIN_STEPS = 32,    /* tests between two readings of the clock */
    MAX_THREADS = 1024,
    PATIENCE = 1000,    /* jobs without a new thread after the system refused one */
    SEAT = 0x10000,     /* `state` is the number of joined workers + SEAT * free seats */
    JOINED = SEAT - 1,
    KINDS = 8,          /* of jobs; the jobs of each are up to four times as long as those before */
};
static const double SHORT = 16e3; /* nanoseconds: the longest job of the first kind */

typedef struct Sleeper Sleeper;
struct Sleeper {
    Sleeper *next;
    bool asleep;
    Place place;
    pthread_cond_t wake;
};

static struct {
    PoolTask task;
    void *context;
    Py_ssize_t parts;
    Environment environment;
    atomic_int flags;                     /* raised by workers */
    atomic_size_t others;                 /* units of work that workers did */
    alignas(64) atomic_size_t next;       /* the part to claim next */
    alignas(64) atomic_uint state;
} job;

static struct {
    alignas(64) atomic_flag owned;
    atomic_int limit;       /* threads a job may use */
    atomic_int running;     /* the number of workers; changes under the lock */
    _Atomic(Sleeper *) sleepers; /* changes under the lock */
    atomic_bool owner_sleeps;
    atomic_bool spins;
    atomic_int owner_cpu;   /* at the last job */
    int patience;           /* only the owner uses it */
    Joining kinds[KINDS];   /* only the owner uses them */
    pthread_mutex_t lock;   /* for `running`, `sleepers` and the conditions */
    pthread_cond_t done;
} pool = {
    .owned = ATOMIC_FLAG_INIT,
    .limit = 1,
    .lock = PTHREAD_MUTEX_INITIALIZER,
    .done = PTHREAD_COND_INITIALIZER,
};

/* Waiting --------------------------------------------------------------------------------------*/

static void
relax(void)
{
#if defined(ENVIRONMENT_SSE)
    __builtin_ia32_pause();
#elif defined(__aarch64__)
    __asm__ volatile("yield");
#endif
}

static long long
nanoseconds(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * 1000000000LL + now.tv_nsec;
}

/* Waits for `ready` without blocking. False after SPIN, or at once if there are too few CPUs. */
static bool
spin_until(bool (*ready)(void))
{
    if (ready() || !atomic_load_explicit(&pool.spins, memory_order_relaxed)) {
        return ready();
    }
    long long end = nanoseconds() + SPIN;
    do {
        for (int step = 0; step < SPIN_STEPS; step++) {
            if (ready()) {
                return true;
            }
            relax();
        }
    } while (nanoseconds() < end);
    return false;
}

static bool
is_open(void)
{
    return atomic_load(&job.state) >= SEAT;
}

static bool
is_deserted(void)
{
    return (atomic_load(&job.state) & JOINED) == 0;
}

static bool
is_surplus(void)
{
    return atomic_load(&pool.running) >= atomic_load(&pool.limit);
}

static bool
has_news(void)
{
    return is_open() || is_surplus();
}

/* Workers --------------------------------------------------------------------------------------*/

/* Claims and runs parts until none is left; returns the units of work done. */
static size_t
run_parts(void)
{
    size_t done = 0;
    for (;;) {
        size_t part = atomic_fetch_add_explicit(&job.next, 1, memory_order_relaxed);
        if (part >= (size_t)job.parts) {
            break;
        }
        done += (size_t)job.task(job.context, (Py_ssize_t)part);
    }
    atomic_fetch_and(&job.state, JOINED);
    return done;
}

/* The owner sets `owner_sleeps`, then reads `state`. A worker changes `state`, then reads
   `owner_sleeps`. So at least one of the two sees the other's change. */
static void
leave(void)
{
    if ((atomic_fetch_sub(&job.state, 1) & JOINED) == 1 && atomic_load(&pool.owner_sleeps)) {
        pthread_mutex_lock(&pool.lock);
        pthread_cond_signal(&pool.done);
        pthread_mutex_unlock(&pool.lock);
    }
}

/* Takes a seat and does a share of the job; does nothing if no seat is free. */
static void
help(void)
{
    unsigned state = atomic_load(&job.state);
    do {
        if (state < SEAT) {
            return;
        }
    } while (!atomic_compare_exchange_weak(&job.state, &state, state - SEAT + 1));
    environment_adopt(&job.environment);
    atomic_fetch_add_explicit(&job.others, run_parts(), memory_order_relaxed);
    int flags = environment_flags();
    if (flags != 0) {
        atomic_fetch_or_explicit(&job.flags, flags, memory_order_relaxed);
    }
    leave();
}

/* The caller holds the lock. `sleeper` is the first in the list. */
static void
wake(Sleeper *sleeper)
{
    atomic_store(&pool.sleepers, sleeper->next);
    sleeper->asleep = false;
    pthread_cond_signal(&sleeper->wake);
}

/* A sleeper stands in `pool.sleepers` until somebody wakes it. */
static void
sleep_until_news(void)
{
    Sleeper self = {.asleep = true, .next = NULL};
    pthread_cond_init(&self.wake, NULL);
    placing_avoid(&self.place, atomic_load(&pool.owner_cpu));
    pthread_mutex_lock(&pool.lock);
    self.next = pool.sleepers;
    atomic_store(&pool.sleepers, &self);
    if (has_news()) {
        wake(&self);
    }
    while (self.asleep) {
        pthread_cond_wait(&self.wake, &pool.lock);
    }
    pthread_mutex_unlock(&pool.lock);
    placing_restore(&self.place);
    pthread_cond_destroy(&self.wake);
}

/* True if there are too many workers; the caller then no longer counts as one, and must end. */
static bool
retire(void)
{
    pthread_mutex_lock(&pool.lock);
    bool surplus = is_surplus();
    if (surplus) {
        atomic_fetch_sub(&pool.running, 1);
    }
    pthread_mutex_unlock(&pool.lock);
    return surplus;
}

static void *
work(void *unused)
{
    do {
        if (!spin_until(has_news)) {
            sleep_until_news();
        }
        help();
    } while (!is_surplus() || !retire());
    return unused;
}

/* A worker receives only the signals that its own faults raise; others go to the program's
   threads. */
static void
block_signals(sigset_t *before)
{
    static const int own[] = {SIGABRT, SIGBUS, SIGFPE, SIGILL, SIGSEGV, SIGSYS, SIGTRAP};
    sigset_t blocked;
    sigfillset(&blocked);
    for (size_t i = 0; i < sizeof own / sizeof *own; i++) {
        sigdelset(&blocked, own[i]);
    }
    pthread_sigmask(SIG_SETMASK, &blocked, before);
}

static bool
start_worker(void)
{
    pthread_t thread;
    sigset_t before;
    block_signals(&before);
    int status = pthread_create(&thread, NULL, work, NULL);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (status != 0) {
        return false;
    }
#ifdef __linux__
    pthread_setname_np(thread, "dyntrace");
#endif
    pthread_detach(thread);
    return true;
}

static void
count_workers(int change)
{
    pthread_mutex_lock(&pool.lock);
    atomic_fetch_add(&pool.running, change);
    pthread_mutex_unlock(&pool.lock);
}

/* Starts the workers that are missing, and returns how many of the `wanted` run. Starts each only
   once, since workers end as fast as they start if the limit falls meanwhile. */
static int
start_workers(int wanted)
{
    for (int missing = wanted - atomic_load(&pool.running); missing > 0; missing--) {
        if (pool.patience > 0) {
            pool.patience--;
            break;
        }
        count_workers(1);
        if (!start_worker()) {
            count_workers(-1);
            pool.patience = PATIENCE;
        }
    }
    int running = atomic_load(&pool.running);
    return running < wanted ? running : wanted;
}

/* Jobs -----------------------------------------------------------------------------------------*/

static void
publish(PoolTask task, void *context, Py_ssize_t parts, int seats)
{
    job.task = task;
    job.context = context;
    job.parts = parts;
    atomic_store_explicit(&pool.owner_cpu, placing_cpu(), memory_order_relaxed);
    environment_save(&job.environment);
    atomic_store_explicit(&job.flags, 0, memory_order_relaxed);
    atomic_store_explicit(&job.others, 0, memory_order_relaxed);
    atomic_store_explicit(&job.next, 0, memory_order_relaxed);
    atomic_store(&job.state, (unsigned)seats * SEAT);
}

/* A worker adds itself to `sleepers`, then reads `state`. The owner changes `state`, then reads
   `sleepers`. So at least one of the two sees the other's change. Returns the time it took. */
static long long
wake_workers(int wanted, long long begun)
{
    if (atomic_load(&pool.sleepers) == NULL) {
        return 0;
    }
    int cpu = placing_cpu();
    pthread_mutex_lock(&pool.lock);
    for (Sleeper *first; wanted > 0 && (first = atomic_load(&pool.sleepers)) != NULL; wanted--) {
        placing_change(&first->place, cpu);
        wake(first);
    }
    pthread_mutex_unlock(&pool.lock);
    return nanoseconds() - begun;
}

/* Returns the nanoseconds from `since` to the end of the wait. */
static long long
await_workers(long long since)
{
    if (is_deserted()) {
        return 0;
    }
    if (!spin_until(is_deserted)) {
        pthread_mutex_lock(&pool.lock);
        atomic_store(&pool.owner_sleeps, true);
        while (!is_deserted()) {
            pthread_cond_wait(&pool.done, &pool.lock);
        }
        atomic_store(&pool.owner_sleeps, false);
        pthread_mutex_unlock(&pool.lock);
    }
    return nanoseconds() - since;
}

static void
run_shared(PoolTask task, void *context, Py_ssize_t parts, int seats, Joined *result)
{
    long long begun = nanoseconds();
    publish(task, context, parts, seats);
    long long waking = wake_workers(seats, begun);
    size_t own = run_parts();
    long long ended = nanoseconds();
    result->waking = (double)waking;
    result->busy = (double)(ended - begun - waking);
    result->waited = (double)await_workers(ended);
    result->own = (double)own;
    result->all = (double)(own + atomic_load_explicit(&job.others, memory_order_relaxed));
    int flags = atomic_load_explicit(&job.flags, memory_order_relaxed);
    if (flags != 0) {
        environment_set_flags(flags);
    }
}

/* NULL: share the job in any case. */
static Joining *
kind_of(double estimate)
{
    int kind = 0;
    for (double longest = SHORT; estimate > longest && kind < KINDS - 1; longest *= 4) {
        kind++;
    }
    return estimate > 0 ? &pool.kinds[kind] : NULL;
}

/* Shares the job if that pays; false if it did not run. The caller owns the pool. */
static bool
share_owned(PoolTask task, void *context, Py_ssize_t parts, int wanted, double estimate)
{
    Joining *joining = kind_of(estimate);
    int helpers = joining == NULL ? wanted : joining_helpers(joining, wanted, estimate);
    int seats = helpers > 0 ? start_workers(helpers) : 0;
    if (seats == 0) {
        return false;
    }
    Joined result = {.estimate = estimate};
    run_shared(task, context, parts, seats, &result);
    if (joining != NULL && result.all > 0) {
        joining_note(joining, &result);
    }
    return true;
}

/* Shares the job; false if it did not run, since there is nobody to share it with. */
static bool
share(PoolTask task, void *context, Py_ssize_t parts, double estimate)
{
    int limit = atomic_load_explicit(&pool.limit, memory_order_relaxed);
    int wanted = (int)(parts < limit ? parts : limit) - 1;
    if (wanted < 1 || atomic_flag_test_and_set_explicit(&pool.owned, memory_order_acquire)) {
        return false;
    }
    bool shared = share_owned(task, context, parts, wanted, estimate);
    atomic_flag_clear_explicit(&pool.owned, memory_order_release);
    return shared;
}

void
pool_run(PoolTask task, void *context, Py_ssize_t parts, double estimate)
{
    if (share(task, context, parts, estimate)) {
        return;
    }
    for (Py_ssize_t part = 0; part < parts; part++) {
        task(context, part);
    }
}

/* Set-up ---------------------------------------------------------------------------------------*/

Py_ssize_t
pool_threads(void)
{
    return atomic_load(&pool.limit);
}

void
pool_set_threads(Py_ssize_t count)
{
    int limit = count < 1 ? 1 : count < MAX_THREADS ? (int)count : MAX_THREADS;
    pthread_mutex_lock(&pool.lock);
    atomic_store(&pool.limit, limit);
    atomic_store(&pool.spins, limit <= placing_count_cpus());
    for (Sleeper *first; (first = atomic_load(&pool.sleepers)) != NULL;) {
        wake(first);
    }
    pthread_mutex_unlock(&pool.lock);
}

static void
before_fork(void)
{
    pthread_mutex_lock(&pool.lock);
}

static void
after_fork_in_parent(void)
{
    pthread_mutex_unlock(&pool.lock);
}

/* Of the parent's threads only the one that forked is in the child: no worker, no sleeper. */
static void
after_fork_in_child(void)
{
    atomic_store(&job.state, 0);
    atomic_store(&pool.running, 0);
    atomic_store(&pool.sleepers, NULL);
    atomic_store(&pool.owner_sleeps, false);
    pool.patience = 0;
    pthread_cond_init(&pool.done, NULL);
    pthread_mutex_unlock(&pool.lock);
    atomic_flag_clear(&pool.owned);
}

int
pool_init(void)
{
    pool_set_threads(placing_count_cpus());
    return pthread_atfork(before_fork, after_fork_in_parent, after_fork_in_child) == 0 ? 0 : -1;
}
