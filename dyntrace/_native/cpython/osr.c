/* On-stack replacement: a running frame continues in other code.

   The frame calls a Python helper, which calls this. The evaluation loop runs both in one C frame.
   When the helper returns, the loop reads the caller's code and instruction pointer anew
   (RETURN_VALUE in Python/ceval.c; from 3.12 on in Python/bytecodes.c), so they are exchanged here.
   The frame keeps its locals and its stack. The caller guarantees two things: the stack at the
   target is the one at the call with the helper's result on top, and the two units before the
   target lie under the same exception handlers.
   Invariant: the answer to every unsupported condition is False. Read frame_layout.h next; without
   the native module runtime/absent.py stands in. */
#include "cpython/frame_layout.h"

#include "cpython/osr.h"

/* A debug build asserts the exact size when it pops the frame (Python/ceval.c). */
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
        return false; /* a traceback or debugger would look up its position in the new code */
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
