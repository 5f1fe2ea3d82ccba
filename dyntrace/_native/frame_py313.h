/* Frames of CPython 3.13: `instr_ptr` is the running instruction, `return_offset` what a return
   skips; an evaluation loop's first frame follows one owned by the C stack.
   Included by frame_py3xx.h only, which says what the names mean. */

enum { RECURSION_UNITS = 2 }; /* of a separate C recursion counter, taken by one evaluation loop */

static inline PyCodeObject *
frame_code(Frame *frame)
{
    return (PyCodeObject *)frame->f_executable;
}

static inline void
frame_set_code(Frame *frame, PyCodeObject *code)
{
    PyObject *old = frame->f_executable;
    frame->f_executable = Py_NewRef(code);
    Py_DECREF(old);
}

static inline PyObject **
frame_function(Frame *frame)
{
    return &frame->f_funcobj;
}

static inline Frame *
frame_current(PyThreadState *ts)
{
    return ts->current_frame;
}

/* The frame that called this one within the same evaluation loop, or NULL. */
static inline Frame *
frame_inlined_caller(Frame *frame)
{
    Frame *caller = frame->previous;
    return caller == NULL || caller->owner == FRAME_OWNED_BY_CSTACK ? NULL : caller;
}

/* Slots of a whole frame of `code`. */
static inline Py_ssize_t
frame_slots(PyCodeObject *code)
{
    return code->co_framesize;
}

static inline bool
frame_is_fresh(Frame *frame)
{
    return frame->instr_ptr == _PyCode_CODE(frame_code(frame));
}

static inline void
frame_restart(Frame *frame)
{
    frame->instr_ptr = _PyCode_CODE(frame_code(frame));
}

/* Make a frame whose callee is running go on at `unit` when the callee returns. */
static inline void
frame_continue_at(Frame *frame, Py_ssize_t unit)
{
    frame->return_offset = 1;
    frame->instr_ptr = _PyCode_CODE(frame_code(frame)) + unit - 1;
}

/* Python frames that may still be entered. */
static inline int
recursion_left(PyThreadState *ts)
{
    return ts->py_recursion_remaining;
}

static inline void
recursion_units_add(PyThreadState *ts, int units)
{
    ts->c_recursion_remaining += units;
}

/* Does the class have a version tag that changes with it? */
static inline bool
has_version_tag(PyTypeObject *type)
{
    return type->tp_version_tag != 0;
}
