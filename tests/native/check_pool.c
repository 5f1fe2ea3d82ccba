/* Checks of _native/os/pool.c, each run in a process of its own by tests/exec/jobs/test_pool.py. */
#define _GNU_SOURCE
#include "os/pool.h"

#include <dirent.h>
#include <fenv.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "check.h"
#include "os/environment.h"

enum { MOST_PARTS = 300 };

typedef struct {
    atomic_int counts[MOST_PARTS];
    int plain[MOST_PARTS]; /* what a part writes must be seen by the owner */
    _Atomic(pid_t) others; /* a thread that is not the owner and did a part */
} Job;

static void
nap(long nanoseconds)
{
    nanosleep(&(struct timespec){0, nanoseconds}, NULL);
}

static Py_ssize_t
count_part(void *context, Py_ssize_t part)
{
    Job *job = context;
    atomic_fetch_add(&job->counts[part], 1);
    job->plain[part] += (int)part;
    if (gettid() != getpid()) {
        job->others = gettid();
    }
    return 1;
}

static void
run_and_compare(PoolTask task, Py_ssize_t parts)
{
    Job job = {0};
    pool_run(task, &job, parts, 0);
    for (Py_ssize_t part = 0; part < MOST_PARTS; part++) {
        CHECK(job.counts[part] == (part < parts));
        CHECK(job.plain[part] == (part < parts ? part : 0));
    }
}

static void
run_many(int rounds)
{
    for (int i = 0; i < rounds; i++) {
        run_and_compare(count_part, i % MOST_PARTS);
        if (i % 100 == 0) {
            nap(i % 1000 * 200L); /* workers spin, sleep, or are about to */
        }
    }
}

/* The threads called as the pool calls them. */
static int
workers(void)
{
    int count = 0;
    DIR *folder = opendir("/proc/self/task");
    for (struct dirent *entry; (entry = readdir(folder)) != NULL;) {
        char path[300], name[20] = "";
        snprintf(path, sizeof path, "/proc/self/task/%s/comm", entry->d_name);
        FILE *file = fopen(path, "r");
        if (file != NULL) {
            count += fgets(name, sizeof name, file) != NULL && strcmp(name, "dyntrace\n") == 0;
            fclose(file);
        }
    }
    closedir(folder);
    return count;
}

static void
every_part_once(void)
{
    CHECK(workers() == 0);
    run_and_compare(count_part, 0);
    run_and_compare(count_part, 1);
    CHECK(workers() == 0);
    pool_set_threads(3);
    run_many(ROUNDS(3000));
    CHECK(workers() == 2);
}

static void
more_threads_than_cpus(void)
{
    pool_set_threads(9);
    CHECK(pool_threads() == 9);
    run_many(ROUNDS(1000));
    CHECK(workers() == 8);
}

static void *
caller(void *rounds)
{
    run_many(*(int *)rounds);
    return NULL;
}

static void
with_callers(void (*meanwhile)(void))
{
    pthread_t threads[5];
    int rounds = ROUNDS(1000);
    for (int i = 0; i < 5; i++) {
        CHECK(pthread_create(&threads[i], NULL, caller, &rounds) == 0);
    }
    for (int i = 0; i < rounds / 5; i++) {
        meanwhile();
    }
    for (int i = 0; i < 5; i++) {
        pthread_join(threads[i], NULL);
    }
}

static void
call_too(void)
{
    run_and_compare(count_part, 7);
}

static void
several_callers(void)
{
    pool_set_threads(3);
    with_callers(call_too);
}

static Py_ssize_t
run_inner(void *context, Py_ssize_t part)
{
    run_and_compare(count_part, 5);
    count_part(context, part);
    return 1;
}

static void
nested(void)
{
    pool_set_threads(3);
    for (int i = 0; i < ROUNDS(300); i++) {
        run_and_compare(run_inner, i % 20);
    }
}

static void
change_threads(void)
{
    static int count;
    pool_set_threads(count++ % 6);
    nap(count % 7 * 20000);
}

static void
threads_changed_while_running(void)
{
    with_callers(change_threads);
    pool_set_threads(2);
    for (int i = 0; workers() > 1; i++) {
        CHECK(i < 1000);
        nap(1000000);
    }
    pool_set_threads(-5);
    CHECK(pool_threads() == 1);
    run_many(10);
}

static void
fork_and_use(void)
{
    pid_t child = fork();
    CHECK(child >= 0);
    if (child == 0) {
        alarm(60);
        CHECK(workers() == 0);
        run_many(20);
        CHECK(workers() == (int)pool_threads() - 1);
        pid_t grandchild = fork();
        if (grandchild == 0) {
            run_many(20);
            _exit(0);
        }
        int status;
        CHECK(waitpid(grandchild, &status, 0) == grandchild && status == 0);
        _exit(0);
    }
    int status;
    CHECK(waitpid(child, &status, 0) == child && status == 0);
    run_and_compare(count_part, 4);
}

static void
forked(void)
{
    pool_set_threads(3);
    run_many(10);
    for (int i = 0; i < ROUNDS(1000) / 50; i++) {
        nap(i % 10 * 10000L);
        fork_and_use();
    }
}

static void
forked_while_others_run(void)
{
    pool_set_threads(3);
    with_callers(fork_and_use);
}

/* Environment ----------------------------------------------------------------------------------*/

typedef struct {
    atomic_int inside; /* threads that have arrived */
    double quotients[2];
    bool own[2];
    int flags[2];
} Together;

/* Each of two threads has to do one part: it waits for the other, or a while. */
static void
meet(Together *together, Py_ssize_t part)
{
    together->own[part] = gettid() != getpid();
    atomic_fetch_add(&together->inside, 1);
    for (int i = 0; i < 2000 && together->inside < 2; i++) {
        nap(1000000);
    }
}

static Py_ssize_t
divide(void *context, Py_ssize_t part)
{
    Together *together = context;
    meet(together, part);
    volatile double one = 1, three = 3;
    together->flags[part] = fetestexcept(FE_ALL_EXCEPT);
    together->quotients[part] = one / three;
    return 1;
}

static void
rounding_of_the_caller(void)
{
    static const int modes[] = {FE_TONEAREST, FE_UPWARD, FE_DOWNWARD, FE_TOWARDZERO, FE_UPWARD};
    pool_set_threads(2);
    run_many(5);
    for (int i = 0; i < 5; i++) {
        Together together = {0};
        fesetround(modes[i]);
        feclearexcept(FE_ALL_EXCEPT);
        pool_run(divide, &together, 2, 0);
        CHECK(fegetround() == modes[i]);
        CHECK(together.own[0] != together.own[1]);
        CHECK(together.quotients[0] == together.quotients[1]);
        CHECK((together.quotients[0] > 1.0 / 3) == (modes[i] == FE_UPWARD));
    }
}

static Py_ssize_t
halve_tiny(void *context, Py_ssize_t part)
{
    Together *together = context;
    meet(together, part);
    volatile double tiny = 2.3e-308, half = 0.5;
    together->quotients[part] = tiny * half;
    return 1;
}

static void
flush_to_zero_of_the_caller(void)
{
#ifdef ENVIRONMENT_SSE
    pool_set_threads(2);
    for (int flush = 0; flush < 2; flush++) {
        Together together = {0};
        unsigned before = __builtin_ia32_stmxcsr();
        __builtin_ia32_ldmxcsr(flush ? before | 0x8040 : before);
        pool_run(halve_tiny, &together, 2, 0);
        __builtin_ia32_ldmxcsr(before);
        CHECK(together.own[0] != together.own[1]);
        CHECK((together.quotients[0] == 0) == flush && (together.quotients[1] == 0) == flush);
    }
#endif
}

static Py_ssize_t
raise_elsewhere(void *context, Py_ssize_t part)
{
    divide(context, part);
    if (((Together *)context)->own[part]) {
        volatile double one = 1, zero = 0;
        volatile long double large = 1e4932L;
        one = one / zero;
        large = large * large;
    }
    return 1;
}

static Py_ssize_t
raise_nothing(void *context, Py_ssize_t part)
{
    meet(context, part);
    return 1;
}

static void
flags_of_workers(void)
{
    pool_set_threads(2);
    for (int i = 0; i < 5; i++) {
        Together together = {0};
        feclearexcept(FE_ALL_EXCEPT);
        pool_run(raise_elsewhere, &together, 2, 0);
        CHECK(fetestexcept(FE_DIVBYZERO) && fetestexcept(FE_OVERFLOW) && !fetestexcept(FE_INVALID));
        CHECK(together.flags[0] == 0 && together.flags[1] == 0);
        feclearexcept(FE_ALL_EXCEPT);
        feraiseexcept(FE_INVALID);
        Together harmless = {0};
        pool_run(raise_nothing, &harmless, 2, 0);
        CHECK(fetestexcept(FE_ALL_EXCEPT) == FE_INVALID);
    }
}

/* A busy machine -------------------------------------------------------------------------------*/

static atomic_bool stalled, free_again;

/* A worker that runs this is as good as one that the system does not run. */
static void
stall(int signal)
{
    (void)signal;
    stalled = true;
    while (!free_again) {
        nap(1000000);
    }
}

static double
seconds(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec * 1e-9;
}

static void
stalled_workers_hold_nobody_up(void)
{
    Job job = {0};
    signal(SIGTRAP, stall);
    pool_set_threads(2);
    for (int i = 0; job.others == 0; i++) {
        CHECK(i < 100000);
        pool_run(count_part, &job, MOST_PARTS, 0);
    }
    nap(200000000); /* it sleeps by now, and holds no lock: nobody could get past that */
    tgkill(getpid(), job.others, SIGTRAP);
    while (!stalled) {
        nap(100000);
    }
    job.others = 0;
    for (int i = 0; i < 1000; i++) { /* in time, or the check is ended from outside */
        run_and_compare(count_part, i % MOST_PARTS);
    }
    pool_run(count_part, &job, MOST_PARTS, 0);
    CHECK(job.others == 0);
    free_again = true;
    for (int i = 0; job.others == 0; i++) {
        CHECK(i < 100000);
        pool_run(count_part, &job, MOST_PARTS, 0);
    }
}

typedef struct {
    atomic_int left; /* units */
    bool shared;
} Units;

/* A worker loses its CPU after each unit. */
static Py_ssize_t
take_units(void *context, Py_ssize_t part)
{
    Units *units = context;
    Py_ssize_t done = 0;
    (void)part;
    for (; atomic_fetch_sub(&units->left, 1) > 0; done++) {
        double end = seconds() + 5e-6;
        while (seconds() < end) {
        }
        if (gettid() != getpid()) {
            units->shared = true;
            nap(5000000);
        }
    }
    return done;
}

static void
jobs_are_shared_less_where_that_loses(void)
{
    int shared = 0;
    pool_set_threads(2);
    for (int i = 0; i < 500; i++) { /* of 200 microseconds */
        Units units = {.left = 40};
        pool_run(take_units, &units, 2, 200e3);
        shared += units.shared;
    }
    CHECK(shared < 20);
}

/* Limits ---------------------------------------------------------------------------------------*/

static void
one_cpu(void)
{
    cpu_set_t cpus;
    sched_getaffinity(0, sizeof cpus, &cpus);
    for (int cpu = CPU_SETSIZE - 1; CPU_COUNT(&cpus) > 1; cpu--) {
        CPU_CLR((size_t)cpu, &cpus);
    }
    CHECK(sched_setaffinity(0, sizeof cpus, &cpus) == 0);
    pool_set_threads(4);
    run_many(ROUNDS(1000));
    CHECK(workers() == 3);
}

static void
threads_refused(void)
{
    Job job = {0};
    CHECK(setrlimit(RLIMIT_AS, &(struct rlimit){1 << 20, RLIM_INFINITY}) == 0);
    pool_set_threads(4);
    pool_run(count_part, &job, 9, 0);
    CHECK(job.others == 0 && job.counts[8] == 1);
    CHECK(setrlimit(RLIMIT_AS, &(struct rlimit){RLIM_INFINITY, RLIM_INFINITY}) == 0);
    run_many(2000);
    CHECK(workers() == 3);
}

static void
never_in_a_worker(int signal)
{
    (void)signal;
    CHECK(gettid() == getpid());
}

static void
signals_stay_with_the_program(void)
{
    signal(SIGUSR1, never_in_a_worker);
    pool_set_threads(3);
    run_many(10);
    sigset_t usr1;
    sigemptyset(&usr1);
    sigaddset(&usr1, SIGUSR1);
    sigprocmask(SIG_BLOCK, &usr1, NULL); /* now only a worker could take it */
    kill(getpid(), SIGUSR1);
    run_many(100);
    sigset_t pending;
    sigpending(&pending);
    CHECK(sigismember(&pending, SIGUSR1));
}

static void
exit_while_workers_spin(void)
{
    pool_set_threads(4);
    run_many(3);
}

static void
exit_while_a_job_runs(void)
{
    static int rounds = 1 << 30;
    pthread_t thread;
    pool_set_threads(4);
    CHECK(pthread_create(&thread, NULL, caller, &rounds) == 0);
    nap(20000000);
}

static const Check checks[] = {
    {"every_part_once", every_part_once},
    {"more_threads_than_cpus", more_threads_than_cpus},
    {"several_callers", several_callers},
    {"nested", nested},
    {"threads_changed_while_running", threads_changed_while_running},
    {"forked", forked},
    {"forked_while_others_run", forked_while_others_run},
    {"rounding_of_the_caller", rounding_of_the_caller},
    {"flush_to_zero_of_the_caller", flush_to_zero_of_the_caller},
    {"flags_of_workers", flags_of_workers},
    {"stalled_workers_hold_nobody_up", stalled_workers_hold_nobody_up},
    {"jobs_are_shared_less_where_that_loses", jobs_are_shared_less_where_that_loses},
    {"one_cpu", one_cpu},
    {"threads_refused", threads_refused},
    {"signals_stay_with_the_program", signals_stay_with_the_program},
    {"exit_while_workers_spin", exit_while_workers_spin},
    {"exit_while_a_job_runs", exit_while_a_job_runs},
};

int
main(int argc, char **argv)
{
    CHECK(pool_init() == 0);
    return run_named(checks, sizeof checks / sizeof *checks, argc, argv);
}
