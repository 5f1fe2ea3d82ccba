/* The ticker: a thread that asks for a look every few milliseconds.

   It makes a pending call (Py_AddPendingCall), which the main thread runs between two instructions,
   so the GIL does not change hands. If the main thread does not answer for PATIENCE ticks, because
   it waits in C, the ticker takes the GIL and looks itself. The interval grows while looks meet
   nothing new.
   Invariants: the thread blocks every signal. The only Python code it runs are the callbacks. It
   ends before the process forks, so that no child inherits a lock that it held, and before the
   interpreter is finalised. */
#include "sampler.h"

#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <time.h>

enum {
    PATIENCE = 8,      /* ticks without an answer, after which the ticker looks itself */
    LONGEST = 64,      /* the interval grows up to this many times its first length */
    QUIET_LOOKS = 100, /* looks without news, after which the interval doubles */
    POSTPONED = 1000,  /* the most times that a new start after a fork is postponed */
};

static struct {
    pthread_t thread;
    pthread_mutex_t lock;
    pthread_cond_t wake;
    bool runs;
    bool stops; /* guarded by the lock */
    atomic_bool asked;
    atomic_uint quiet;
    atomic_uint factor;
    long microseconds;
    PyInterpreterState *interpreter;
    bool looks; /* a look is under way; its callbacks start no other */
    bool held;  /* a fork is under way, after which the thread starts again */
    Frame *forking;       /* the frame that calls os.fork, only compared */
    const void *place;    /* its instruction pointer at the fork */
    unsigned postponed;   /* how often the new start was postponed */
} ticker = {.lock = PTHREAD_MUTEX_INITIALIZER};

bool
ticker_runs(void)
{
    return ticker.runs;
}

static void
look_often(void)
{
    atomic_store(&ticker.quiet, 0);
    atomic_store(&ticker.factor, 1);
}

static void
note_look(void)
{
    if (atomic_fetch_add(&ticker.quiet, 1) + 1 >= QUIET_LOOKS) {
        atomic_store(&ticker.quiet, 0);
        unsigned factor = atomic_load(&ticker.factor);
        if (factor < LONGEST) {
            atomic_store(&ticker.factor, 2 * factor);
        }
    }
}

/* Does anybody trace or profile, in whatever thread? Such tools count by code object, so nothing
   becomes warm meanwhile. */
static bool
is_any_watched(void)
{
    PyThreadState *ts = PyInterpreterState_ThreadHead(ticker.interpreter);
    while (ts != NULL && (!is_watched(ts) || reach_is_only_tracer(ts))) {
        ts = PyThreadState_Next(ts);
    }
    return ts != NULL;
}

/* Runs with the GIL, so no other thread changes its frames. C code may make a thread state without
   the GIL, so the list of threads has to be locked; if it is locked, this look is left out. */
static void
read_threads(PyThreadState *own)
{
    if (!threads_try_lock()) {
        return;
    }
    bool counts = !is_any_watched();
    PyThreadState *ts = PyInterpreterState_ThreadHead(ticker.interpreter);
    for (; ts != NULL; ts = PyThreadState_Next(ts)) {
        sampler_read_thread(ts, ts == own, counts);
        if (tally_wanted()) {
            tally_read_thread(ts);
        }
    }
    threads_unlock();
}

static void
look(PyThreadState *own)
{
    if (ticker.looks) {
        return;
    }
    ticker.looks = true;
    PyThreadState_EnterTracing(own); /* tracers, profilers and tools are not told of a look */
    recursion_add(own, HEADROOM);
    note_look();
    move_release_old_codes();
    reach_no_more(own);
    read_threads(own);
    if (tally_wanted()) {
        tally_tell();
    }
    sampler_ask_about_met();
    if (sampler_take_news()) {
        look_often();
    }
    tally_restart(); /* the time of the look is not charged to the program */
    recursion_add(own, -HEADROOM);
    PyThreadState_LeaveTracing(own);
    ticker.looks = false;
}

/* Has C code just called this frame? It may be a callback or finalizer, whose caller drops an
   exception that a signal handler raises after the look. */
static bool
is_called_from_c(Frame *frame)
{
    return frame != NULL && frame_inlined_caller(frame) == NULL
           && _PyInterpreterFrame_LASTI(frame) <= frame_code(frame)->_co_firsttraceable;
}

static int
answer(void *ignored)
{
    (void)ignored;
    if (!ticker.runs || is_called_from_c(frame_current(PyThreadState_Get()))) {
        atomic_store(&ticker.asked, false);
        return 0;
    }
    PyObject *error = take_error();
    unsigned long handlers = handlers_hold();
    look(PyThreadState_Get());
    /* Signal handlers that fell due run here, still inside the pending call. CPython runs no other
       pending call meanwhile, so the ticker must not ask for one (`asked` is still set), and no
       trace function may be set: with one, 3.11 would wait for the call for ever. */
    int status = handlers_release(handlers);
    atomic_store(&ticker.asked, false);
    if (status < 0) { /* a handler raised: the exception is the program's */
        Py_XDECREF(error);
        return -1;
    }
    reach_running(PyThreadState_Get());
    if (error != NULL) {
        give_error(error);
    }
    return 0;
}

/* The ticker keeps its thread state until it ends. Deleting one waits, with the GIL, for the lock
   of the list of threads, and on 3.11 sys._current_frames holds that lock while finalizers run. */
static void
look_from_here(PyThreadState **own)
{
    if (*own == NULL) {
        *own = PyThreadState_New(ticker.interpreter);
    }
    PyThreadState *ts = *own;
    if (ts == NULL) {
        return;
    }
    PyEval_RestoreThread(ts);
    if (ticker.runs) {
        int collects = PyGC_Disable(); /* the program's finalizers must run in its own threads */
        look(ts);
        PyErr_Clear();
        if (collects) {
            PyGC_Enable();
        }
    }
    PyEval_SaveThread();
}

/* Waits for one interval; false if the thread is to end. */
static bool
sleep_once(void)
{
    struct timespec until;
    clock_gettime(CLOCK_MONOTONIC, &until);
    long wait = ticker.microseconds * (long)atomic_load(&ticker.factor);
    until.tv_sec += wait / 1000000;
    until.tv_nsec += wait % 1000000 * 1000;
    if (until.tv_nsec >= 1000000000) {
        until.tv_nsec -= 1000000000;
        until.tv_sec++;
    }
    pthread_mutex_lock(&ticker.lock);
    int status = 0;
    while (!ticker.stops && status == 0) {
        status = pthread_cond_timedwait(&ticker.wake, &ticker.lock, &until);
    }
    bool goes_on = !ticker.stops;
    pthread_mutex_unlock(&ticker.lock);
    return goes_on;
}

static void *
tick(void *ignored)
{
    (void)ignored;
    PyThreadState *own = NULL;
    int unanswered = 0;
    while (sleep_once()) {
        if (!atomic_load(&ticker.asked)) {
            unanswered = 0;
            atomic_store(&ticker.asked, true);
            if (Py_AddPendingCall(answer, NULL) < 0) {
                atomic_store(&ticker.asked, false);
            }
        }
        else if (++unanswered % PATIENCE == 0) {
            look_from_here(&own);
        }
    }
    if (own != NULL) {
        PyEval_RestoreThread(own);
        PyThreadState_Clear(own);
        PyThreadState_DeleteCurrent();
    }
    return NULL;
}

static bool
start(void)
{
    pthread_condattr_t attributes;
    sigset_t all, before;
    if (pthread_condattr_init(&attributes) != 0) {
        return false;
    }
    bool ready = pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC) == 0
                 && pthread_cond_init(&ticker.wake, &attributes) == 0;
    pthread_condattr_destroy(&attributes);
    if (!ready) {
        return false;
    }
    ticker.stops = false;
    atomic_store(&ticker.asked, false);
    look_often();
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before); /* the thread inherits it */
    ticker.runs = pthread_create(&ticker.thread, NULL, tick, NULL) == 0;
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return ticker.runs;
}

int
ticker_start(long microseconds)
{
    if (ticker.runs) {
        return 0;
    }
    ticker.microseconds = microseconds;
    ticker.interpreter = PyInterpreterState_Get();
    return start() ? 0 : -1;
}

/* The caller has the GIL. The thread may be waiting for it, so it is released for the join. */
void
ticker_stop(void)
{
    ticker.held = false;
    if (!ticker.runs) {
        return;
    }
    ticker.runs = false;
    pthread_mutex_lock(&ticker.lock);
    ticker.stops = true;
    pthread_cond_signal(&ticker.wake);
    pthread_mutex_unlock(&ticker.lock);
    Py_BEGIN_ALLOW_THREADS
    pthread_join(ticker.thread, NULL);
    Py_END_ALLOW_THREADS
    pthread_cond_destroy(&ticker.wake);
}

/* Forks ------------------------------------------------------------------------------------- */
void
ticker_hold(PyThreadState *ts)
{
    if (ticker.runs) {
        ticker_stop();
        ticker.held = true;
        ticker.postponed = 0;
        ticker.forking = frame_current(ts);
        ticker.place = ticker.forking == NULL ? NULL : frame_place(ticker.forking);
    }
}

/* Is the frame that forks still in its call of os.fork? A pending call may run in a callback that
   os.register_at_fork registered, which is called from there. */
static bool
still_forks(void)
{
    Frame *frame = frame_current(PyThreadState_Get());
    for (frame = frame == NULL ? NULL : frame->previous; frame != NULL; frame = frame->previous) {
        if (frame == ticker.forking) {
            return frame_place(frame) == ticker.place;
        }
    }
    return false;
}

static int
start_again(void *ignored)
{
    (void)ignored;
    if (!ticker.held) {
        return 0;
    }
    if (still_forks() && ticker.postponed++ < POSTPONED) {
        Py_AddPendingCall(start_again, NULL);
        return 0;
    }
    ticker.held = false;
    start();
    return 0;
}

/* os.fork counts the parent's threads after its last callback and warns if there is more than one
   (warn_about_fork_with_threads in Modules/posixmodule.c), so the thread starts later. */
void
ticker_release_parent(void)
{
    if (ticker.held) {
        Py_AddPendingCall(start_again, NULL);
    }
}

void
ticker_release_child(void)
{
    if (ticker.held) {
        ticker.held = false;
        start();
    }
}
