/* Reaching a loop that runs, on CPython 3.11: a trace function, for a few lines, moves its frame.

   After a trace function the interpreter goes on where the frame stands, with the stack that it has,
   but keeps the constants and names of the code it left until a function returns. So the frame goes
   on in the pad of its landing, which begins with a call: NULL and a function that does nothing are
   pushed for it. (Python/ceval.c: DO_TRACING, and RETURN_VALUE, which goes to resume_frame.)
   Invariants: nothing is set where somebody else traces, profiles or evaluates frames; what is set
   is taken back at the first jump backward in the frame, when a Python function is called or
   returns, or after MOST_EVENTS lines; the program finds no trace function, since there is no
   object of one. While it is set, a call of a method in C makes a bound method, so `self` has one more
   reference: code that could tell is not reached. */
#include "sampler.h"

#if PY_VERSION_HEX < 0x030C0000
enum {
    MOST_EVENTS = 500,
    LONGEST_PAUSE = 5, /* looks between two attempts, as a power of two */
    CALL_UNITS = 8,    /* PRECALL and CALL with their caches, and the POP_TOP of the landing */
    FRAMES_NEEDED = 8,
};

static PyObject *nothing; /* a function */
static struct {
    const PyCodeObject *code; /* only compared */
    Py_ssize_t last;          /* the unit where its frame was met before */
    int events;
} armed;

PyObject *
reach_configure(PyObject *module, PyObject *function)
{
    (void)module;
    Py_XSETREF(nothing, Py_NewRef(function));
    Py_RETURN_NONE;
}

static int on_event(PyObject *ignored, PyFrameObject *object, int what, PyObject *arg);

static void
disarm(PyThreadState *ts)
{
    if (ts->c_tracefunc == on_event) {
        ts->c_tracefunc = NULL; /* PyThreadState_LeaveTracing tells the interpreter */
    }
    armed.code = NULL;
}

/* May a frame be moved, and call the function that does nothing, seen by nobody? */
static bool
may_reach(PyThreadState *ts)
{
    return nothing != NULL && ts->c_profilefunc == NULL && ts->interp->eval_frame == NULL
           && recursion_left(ts) >= FRAMES_NEEDED;
}

static int
move_from(PyThreadState *ts, Frame *frame, Py_ssize_t unit)
{
    PyObject *offset = PyLong_FromSsize_t(unit * (Py_ssize_t)sizeof(_Py_CODEUNIT));
    if (offset == NULL) {
        PyErr_Clear();
        return 0;
    }
    int moved = ask_and_move(ts, frame, frame_code(frame), offset);
    Py_DECREF(offset);
    disarm(ts); /* what was asked may have had a look */
    if (moved > 0) {
        frame_push(frame, NULL);
        frame_push(frame, Py_NewRef(nothing));
        frame_jump_to(frame, frame_next_unit(frame) - CALL_UNITS);
    }
    return moved < 0 ? -1 : 0;
}

static int
on_event(PyObject *ignored, PyFrameObject *object, int what, PyObject *arg)
{
    (void)ignored;
    (void)object;
    (void)arg;
    PyThreadState *ts = PyThreadState_Get();
    Frame *frame = frame_current(ts);
    if (what != PyTrace_LINE || frame == NULL || frame_code(frame) != armed.code
        || ++armed.events > MOST_EVENTS) {
        disarm(ts);
        return 0;
    }
    Py_ssize_t unit = frame_next_unit(frame), last = armed.last;
    armed.last = unit;
    if (unit > last) {
        return 0;
    }
    Record *record = record_of(frame_code(frame));
    disarm(ts);
    if (record == NULL || !record->reaches || !may_reach(ts)) {
        return 0;
    }
    record->pause = 0;
    return move_from(ts, frame, unit);
}

/* At the start of a look: what it asks is not to count as traced. */
void
reach_no_more(PyThreadState *ts)
{
    disarm(ts);
}

/* After a look: have the topmost frame of this thread, if it runs warm code, come to `serve`
   at its next jump backward. Attempts get rarer while it does not come to one. */
void
reach_running(PyThreadState *ts)
{
    Frame *frame = frame_current(ts);
    if (frame == NULL || !frame_is_running(frame) || ts->c_tracefunc != NULL || !may_reach(ts)) {
        return;
    }
    Record *record = record_of(frame_code(frame));
    if (record == NULL || !record->reaches
        || (++record->looks & ((1U << record->pause) - 1)) != 0) {
        return;
    }
    record->pause += record->pause < LONGEST_PAUSE;
    armed.code = frame_code(frame);
    armed.last = frame_next_unit(frame); /* or rather the one that it is at */
    armed.events = 0;
    PyThreadState_EnterTracing(ts);
    ts->c_tracefunc = on_event;
    PyThreadState_LeaveTracing(ts); /* from here on the interpreter sees it */
}

bool
reaches_only(PyThreadState *ts)
{
    return ts->c_tracefunc == on_event && ts->c_profilefunc == NULL;
}

/* reach(code, whether): have frames of `code` that loop come to `serve`. */
PyObject *
reach(PyObject *module, PyObject *const *args, Py_ssize_t count)
{
    (void)module;
    if (count != 2 || !PyCode_Check(args[0])) {
        PyErr_SetString(PyExc_TypeError, "reach(code, whether)");
        return NULL;
    }
    Record *record = record_made((PyCodeObject *)args[0]);
    if (record == NULL) {
        return PyErr_NoMemory();
    }
    record->reaches = args[1] == Py_True;
    record->pause = 0;
    Py_RETURN_NONE;
}

/* reach_now(): what is done at the end of a look, for the frame that calls it. */
PyObject *
reach_now(PyObject *module, PyObject *ignored)
{
    (void)module;
    (void)ignored;
    reach_running(PyThreadState_Get());
    Py_RETURN_NONE;
}
#else
void
reach_running(PyThreadState *ts)
{
    (void)ts;
}

void
reach_no_more(PyThreadState *ts)
{
    (void)ts;
}

bool
reaches_only(PyThreadState *ts)
{
    (void)ts;
    return false;
}
#endif
