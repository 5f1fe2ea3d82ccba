/* On-stack replacement: a running frame goes on in other code.

   A pure-Python helper is called from the frame, so the evaluation loop keeps both in one C frame
   and reloads the caller's code and position when the helper returns. In between they are exchanged
   here. Same frame, same locals, same stack: the caller must see to it that the stack at the target
   is the one at the call with the helper's result on top, and that the two units before the target
   are covered by its exception handlers.
   Invariant: every unsupported condition is answered with False. There is no twin; see
   runtime/absent.py. */
#include "cpython/frame_layout.h"

#include "cpython/osr.h"

/* Debug builds check the size of a frame when it is popped. */
static bool
has_room(PyCodeObject *old, PyCodeObject *new)
{
#ifdef Py_DEBUG
    return frame_slots(old) == frame_slots(new);
#else
    return frame_slots(old) >= frame_slots(new);
#endif
}

static bool
replace(PyThreadState *ts, PyCodeObject *code, Py_ssize_t offset)
{
    Frame *helper = frame_current(ts);
    if (helper == NULL || helper->owner != FRAME_OWNED_BY_THREAD || is_instrumented(ts)) {
        return false;
    }
    Frame *frame = frame_inlined_caller(helper);
    if (frame == NULL
        || (frame->owner != FRAME_OWNED_BY_THREAD && frame->owner != FRAME_OWNED_BY_GENERATOR)) {
        return false;
    }
    if (frame->frame_obj != NULL && Py_REFCNT(frame->frame_obj) > 1) {
        return false; /* a traceback or a debugger would read its position against the new code */
    }
    PyCodeObject *old = frame_code(frame);
    if (!same_layout(old, code) || !has_room(old, code)) {
        return false;
    }
    frame_set_code(frame, code);
    frame_continue_at(frame, offset / (Py_ssize_t)sizeof(_Py_CODEUNIT));
    return true;
}

PyObject *
osr(PyObject *module, PyObject *const *args, Py_ssize_t count)
{
    (void)module;
    if (count != 2 || !PyCode_Check(args[0]) || !PyLong_CheckExact(args[1])) {
        Py_RETURN_FALSE;
    }
    PyCodeObject *code = (PyCodeObject *)args[0];
    Py_ssize_t unit = (Py_ssize_t)sizeof(_Py_CODEUNIT);
    Py_ssize_t offset = PyNumber_AsSsize_t(args[1], NULL);
    if (offset <= 0 || offset % unit != 0 || offset / unit >= Py_SIZE(code)) {
        Py_RETURN_FALSE;
    }
    return PyBool_FromLong(replace(PyThreadState_Get(), code, offset));
}
