/* The ticker: a thread that has the program looked at every few milliseconds.

   The main thread is asked by a pending call, which it runs between two instructions: no hand-over
   of the GIL. Where it does not answer for a while (it waits in C), the ticker takes the GIL and
   looks itself. The interval grows while nothing new is met.
   Invariants: the thread has every signal blocked and runs no Python code of its own but what
   `warm` is; it is gone while the process forks, so that a child never meets a half of it, and
   before the interpreter ends. */
#include "sampler.h"

#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <time.h>

enum {
    PATIENCE = 8,      /* ticks without an answer before the ticker looks itself */
    LONGEST = 64,      /* the interval grows up to this many times its first length */
    QUIET_LOOKS = 100, /* looks without news before it doubles */
    POSTPONED = 1000,  /* a new start is postponed so often while callbacks of a fork run */
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
    unsigned samples;
    PyInterpreterState *interpreter;
    bool looks; /* a look is under way: what it runs is not looked at */
    bool held;  /* a fork is under way: start again when it is over */
    Frame *forking;       /* the frame that forks, only compared */
    const void *place;    /* where it stands */
    unsigned postponed;   /* how often the new start was */
} ticker = {.lock = PTHREAD_MUTEX_INITIALIZER, .samples = 3};

unsigned
ticker_samples(void)
{
    return ticker.samples;
}

bool
ticker_runs(void)
{
    return ticker.runs;
}

void
ticker_found_news(void)
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

/* What somebody traces or profiles becomes warm later: tools count by code object. */
static bool
is_any_watched(void)
{
    PyThreadState *ts = PyInterpreterState_ThreadHead(ticker.interpreter);
    while (ts != NULL && (!is_watched(ts) || reaches_only(ts))) {
        ts = PyThreadState_Next(ts);
    }
    return ts != NULL;
}

/* With the GIL: threads without it stand still as far as their frames are concerned. But C code
   makes thread states before it takes the GIL. */
static void
read_threads(PyThreadState *own)
{
    if (!threads_try_lock()) {
        return;
    }
    bool counts = !is_any_watched();
    PyThreadState *ts = PyInterpreterState_ThreadHead(ticker.interpreter);
    for (; ts != NULL; ts = PyThreadState_Next(ts)) {
        read_thread(ts, ts == own, counts);
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
    move_forget_left();
    reach_no_more(own);
    read_threads(own);
    if (tally_wanted()) {
        tally_tell();
    }
    ask_about_met();
    tally_restart(); /* what was spent here is not the program's */
    recursion_add(own, -HEADROOM);
    PyThreadState_LeaveTracing(own);
    ticker.looks = false;
}

/* Has C code just called this frame? It may be a callback or finalizer, where what a handler raises
   after the look would be lost. */
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
    /* Handlers run within this pending call, so no other can be made meanwhile: the ticker asks for none,
       and no trace function is set, with which 3.11 would wait for one for ever. */
    int status = handlers_release(handlers);
    atomic_store(&ticker.asked, false);
    if (status < 0) { /* what was thrown in from outside is the program's */
        Py_XDECREF(error);
        return -1;
    }
    reach_running(PyThreadState_Get());
    if (error != NULL) {
        give_error(error);
    }
    return 0;
}

/* The thread state lasts as long as the thread: whoever drops one waits, with the GIL, for the lock
   of the list of threads, and on 3.11 sys._current_frames holds that while finalizers run. */
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
        int collects = PyGC_Disable(); /* finalizers of the program's run in its own threads */
        look(ts);
        PyErr_Clear();
        if (collects) {
            PyGC_Enable();
        }
    }
    PyEval_SaveThread();
}

/* False when it is to end. */
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
    ticker_found_news();
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before); /* the thread inherits it */
    ticker.runs = pthread_create(&ticker.thread, NULL, tick, NULL) == 0;
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return ticker.runs;
}

int
ticker_start(long microseconds, unsigned samples)
{
    if (ticker.runs) {
        return 0;
    }
    ticker.microseconds = microseconds;
    ticker.samples = samples;
    ticker.interpreter = PyInterpreterState_Get();
    return start() ? 0 : -1;
}

/* The caller has the GIL, which the thread may be waiting for. */
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

/* Is the frame that forks still inside its call of os.fork, which ran other Python code? */
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

/* os.fork counts the threads of the parent after its last callback, and warns of them. */
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
