/* Reaching a loop that runs, on CPython 3.11: a trace function, for a few lines, moves its frame.

   After a trace function the interpreter goes on where the frame stands, with the stack that it has,
   but keeps the constants and names of the code it left until a function returns. So the frame goes
   on in the pad of its landing, which begins with a call: NULL and a function that does nothing are
   pushed for it. Invariants: nothing is set where somebody else traces or profiles, or evaluates
   frames; what is set is taken back at the first jump backward in the frame, or after some events;
   the program finds no trace function, since there is no object of one. */
#include "sampler.h"

#if PY_VERSION_HEX < 0x030C0000
enum {
    MOST_EVENTS = 200,
    CALL_UNITS = 8,    /* PRECALL and CALL with their caches, and the POP_TOP of the landing */
    FRAMES_NEEDED = 8,
};

static PyObject *nothing; /* a function */
static struct {
    const PyCodeObject *code; /* only compared */
    Py_ssize_t last;
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
        ts->c_tracefunc = NULL;
    }
    armed.code = NULL;
}

static int
on_event(PyObject *ignored, PyFrameObject *object, int what, PyObject *arg)
{
    (void)ignored;
    (void)object;
    (void)arg;
    PyThreadState *ts = PyThreadState_Get();
    Frame *frame = frame_current(ts);
    bool here = what == PyTrace_LINE && frame != NULL && frame_code(frame) == armed.code;
    Py_ssize_t unit = here ? frame_next_unit(frame) : 0;
    bool back = here && unit <= armed.last;
    if (!back) {
        armed.last = here ? unit : armed.last;
        if (++armed.events > MOST_EVENTS) {
            disarm(ts);
        }
        return 0;
    }
    disarm(ts);
    PyObject *offset = PyLong_FromSsize_t(unit * (Py_ssize_t)sizeof(_Py_CODEUNIT));
    int moved = offset == NULL ? -1 : ask_and_move(ts, frame, frame_code(frame), offset);
    Py_XDECREF(offset);
    if (moved > 0) {
        frame_push(frame, NULL);
        frame_push(frame, Py_NewRef(nothing));
        frame_jump_to(frame, frame_next_unit(frame) - CALL_UNITS);
    }
    return moved < 0 ? -1 : 0;
}

/* At the end of a look: have the topmost frame of this thread come to `serve` at its next jump
   backward, if it runs warm code. */
void
reach_topmost(PyThreadState *ts)
{
    Frame *frame = frame_current(ts);
    if (nothing == NULL || frame == NULL || frame->owner != FRAME_OWNED_BY_THREAD
        || ts->c_tracefunc != NULL || ts->c_profilefunc != NULL || ts->interp->eval_frame != NULL
        || recursion_left(ts) < FRAMES_NEEDED) {
        return;
    }
    Record *record = record_of(frame_code(frame));
    if (record != NULL && record->reaches) {
        armed.code = frame_code(frame);
        armed.last = 0;
        armed.events = 0;
        ts->c_tracefunc = on_event;
    }
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
    Py_RETURN_NONE;
}
#endif
