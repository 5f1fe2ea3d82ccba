/* Frames of CPython 3.11: `prev_instr` is the unit before the next one; an evaluation loop's first
   frame is marked `is_entry`. Included by frame_py3xx.h only, which says what the names mean. */

enum { RECURSION_UNITS = 0 }; /* of a separate C recursion counter, taken by one evaluation loop */

static inline PyCodeObject *
frame_code(Frame *frame)
{
    return frame->f_code;
}

static inline void
frame_set_code(Frame *frame, PyCodeObject *code)
{
    PyCodeObject *old = frame->f_code;
    frame->f_code = (PyCodeObject *)Py_NewRef(code);
    Py_DECREF(old);
}

static inline PyObject **
frame_function(Frame *frame)
{
    return (PyObject **)&frame->f_func;
}

static inline Frame *
frame_current(PyThreadState *ts)
{
    return ts->cframe->current_frame;
}

static inline void
frame_make_current(PyThreadState *ts, Frame *frame)
{
    ts->cframe->current_frame = frame;
}

/* The frame that called this one within the same evaluation loop, or NULL. */
static inline Frame *
frame_inlined_caller(Frame *frame)
{
    return frame->is_entry ? NULL : frame->previous;
}

/* Slots of a whole frame of `code`. */
static inline Py_ssize_t
frame_slots(PyCodeObject *code)
{
    return (Py_ssize_t)code->co_nlocalsplus + code->co_stacksize + (Py_ssize_t)FRAME_SPECIALS_SIZE;
}

static inline bool
frame_is_fresh(Frame *frame)
{
    return frame->prev_instr == _PyCode_CODE(frame->f_code) - 1;
}

static inline void
frame_restart(Frame *frame)
{
    frame->prev_instr = _PyCode_CODE(frame->f_code) - 1;
}

/* Make a frame whose callee is running go on at `unit` when the callee returns. */
static inline void
frame_continue_at(Frame *frame, Py_ssize_t unit)
{
    frame->prev_instr = _PyCode_CODE(frame->f_code) + unit - 1;
}

/* Python frames that may still be entered. */
static inline int
recursion_left(PyThreadState *ts)
{
    return ts->recursion_remaining;
}

/* Python frames that have been entered. */
static inline int
recursion_depth(PyThreadState *ts)
{
    return ts->recursion_limit - ts->recursion_remaining;
}

/* Have that many more frames left. */
static inline void
recursion_add(PyThreadState *ts, int frames)
{
    ts->recursion_remaining += frames;
}

static inline void
recursion_units_add(PyThreadState *ts, int units)
{
    (void)ts;
    (void)units;
}

/* Does the class have a version tag that changes with it? */
static inline bool
has_version_tag(PyTypeObject *type)
{
    return PyType_HasFeature(type, Py_TPFLAGS_VALID_VERSION_TAG);
}

static inline uint8_t
unit_opcode(PyCodeObject *code, Py_ssize_t index)
{
    return _Py_OPCODE(_PyCode_CODE(code)[index]);
}

static inline void
unit_set_jump(PyCodeObject *code, Py_ssize_t index, uint8_t distance)
{
    _PyCode_CODE(code)[index] = _Py_MAKECODEUNIT(JUMP_FORWARD, distance);
}

/* Let go what `co_code` has shown. */
static inline void
code_forget_copies(PyCodeObject *code)
{
    Py_CLEAR(code->_co_code);
}

/* Waits a signal's handler to be run by this thread, or another? With or without the GIL. */
static inline bool
signal_is_pending(PyThreadState *ts)
{
    (void)ts;
    return _Py_atomic_load_relaxed(&_PyRuntime.ceval.signals_pending) != 0;
}

static inline PyObject *
frame_globals(Frame *frame)
{
    return frame->f_globals;
}

/* A frame that stands for code of the user's, past its prologue. */
static inline bool
frame_is_running(Frame *frame)
{
    return frame->f_code != NULL && !_PyFrame_IsIncomplete(frame);
}

/* Items on the evaluation stack, in a trace function. */
static inline int
frame_stack_depth(Frame *frame)
{
    return frame->stacktop - frame->f_code->co_nlocalsplus;
}

static inline void
frame_push(Frame *frame, PyObject *value)
{
    frame->localsplus[frame->stacktop++] = value;
}

/* The instruction that a trace function is called before. */
static inline Py_ssize_t
frame_next_unit(Frame *frame)
{
    return frame->prev_instr - _PyCode_CODE(frame->f_code);
}

/* After a trace function the interpreter goes on where the frame stands. */
static inline void
frame_jump_to(Frame *frame, Py_ssize_t unit)
{
    frame->prev_instr = _PyCode_CODE(frame->f_code) + unit;
}

/* Where a frame stands, only compared. */
static inline const void *
frame_place(Frame *frame)
{
    return frame->prev_instr;
}

/* Where an instance keeps its attributes until it has a dict, or NULL. */
static inline PyDictValues *
instance_values(PyObject *obj)
{
    bool managed = Py_TYPE(obj)->tp_flags & Py_TPFLAGS_MANAGED_DICT;
    return managed ? *_PyObject_ValuesPointer(obj) : NULL;
}
