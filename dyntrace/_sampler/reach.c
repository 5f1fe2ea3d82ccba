/* Reach: moves a frame that is inside a loop, on CPython 3.11, with a short-lived trace function.

   After a trace function has run, the interpreter reads the frame's instruction pointer and stack
   anew, but goes on using the constants and names of the old code until a call returns (in
   Python/ceval.c: DO_TRACING; RETURN_VALUE jumps to resume_frame, which reads them anew). So the
   frame continues in the pad of its landing, which begins with a call; NULL and a function without
   effect are pushed for it.
   Invariants: no trace function is set if somebody else traces, profiles or evaluates frames. It is
   removed at the first jump backward in the frame, when a Python function is called or returns, or
   after MOST_EVENTS lines. `sys.gettrace()` does not show it, since it has no Python object. While
   one is set, CPython makes a bound method for a call of a method in C, so `self` has one more
   reference: code that names a function that counts references is not reached. */
#include "sampler.h"

#if PY_VERSION_HEX < 0x030C0000
enum {
    MOST_EVENTS = 500,
    LONGEST_PAUSE = 5, /* at least one look in 2**LONGEST_PAUSE makes an attempt */
    CALL_UNITS = 8,    /* PRECALL and CALL with their caches, and the POP_TOP of the landing */
    FRAMES_NEEDED = 8, /* frames that must be left below the recursion limit */
};

static PyObject *nothing; /* the function without effect that moved frames call */
static struct {
    const PyCodeObject *code; /* the code to reach; only compared */
    Py_ssize_t last;          /* the unit at the last event; a smaller one means a jump backward */
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
        ts->c_tracefunc = NULL; /* PyThreadState_LeaveTracing updates cframe->use_tracing */
    }
    armed.code = NULL;
}

/* May a frame be moved and call `nothing` without any tool noticing? */
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
    int moved = move_ask(ts, frame, frame_code(frame), offset);
    Py_DECREF(offset);
    disarm(ts); /* a look during `serve` may have armed again */
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
    Record *record = records_find(frame_code(frame));
    disarm(ts);
    if (record == NULL || !record->reaches || !may_reach(ts)) {
        return 0;
    }
    record->pause = 0;
    return move_from(ts, frame, unit);
}

/* At the start of a look: removes the trace function, so that the look does not count as traced. */
void
reach_no_more(PyThreadState *ts)
{
    disarm(ts);
}

/* After a look: if the topmost frame of this thread runs warm code, sets the trace function, which
   asks `serve` at the next jump backward. Attempts get rarer while no jump comes. */
void
reach_running(PyThreadState *ts)
{
    Frame *frame = frame_current(ts);
    if (frame == NULL || !frame_is_running(frame) || ts->c_tracefunc != NULL || !may_reach(ts)) {
        return;
    }
    Record *record = records_find(frame_code(frame));
    if (record == NULL || !record->reaches
        || (++record->looks & ((1U << record->pause) - 1)) != 0) {
        return;
    }
    record->pause += record->pause < LONGEST_PAUSE;
    armed.code = frame_code(frame);
    armed.last = frame_next_unit(frame); /* between two instructions: the one to run next */
    armed.events = 0;
    PyThreadState_EnterTracing(ts);
    ts->c_tracefunc = on_event;
    PyThreadState_LeaveTracing(ts); /* sets cframe->use_tracing, so the interpreter calls it */
}

bool
reach_is_only_tracer(PyThreadState *ts)
{
    return ts->c_tracefunc == on_event && ts->c_profilefunc == NULL;
}

/* reach(code, enabled): whether looping frames of `code` are brought to `serve`. */
PyObject *
reach(PyObject *module, PyObject *const *args, Py_ssize_t count)
{
    (void)module;
    if (count != 2 || !PyCode_Check(args[0])) {
        PyErr_SetString(PyExc_TypeError, "reach(code, enabled)");
        return NULL;
    }
    Record *record = records_make((PyCodeObject *)args[0]);
    if (record == NULL) {
        return PyErr_NoMemory();
    }
    record->reaches = args[1] == Py_True;
    record->pause = 0;
    Py_RETURN_NONE;
}

/* reach_now(): does for the calling frame what the end of a look does; for tests. */
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
reach_is_only_tracer(PyThreadState *ts)
{
    (void)ts;
    return false;
}
#endif
