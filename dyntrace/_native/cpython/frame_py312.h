/* Frames of CPython 3.12: `prev_instr` is the unit before the next one, `return_offset` what a
   return skips; an evaluation loop's first frame follows one owned by the C stack.
   Included by frame_py3xx.h only, which says what the names mean. */

enum { RECURSION_UNITS = 2 }; /* of a separate C recursion counter, taken by one evaluation loop */

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
    return &frame->f_funcobj;
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
    frame->return_offset = 0;
    frame->prev_instr = _PyCode_CODE(frame->f_code) + unit - 1;
}

/* Python frames that may still be entered. */
static inline int
recursion_left(PyThreadState *ts)
{
    return ts->py_recursion_remaining;
}

/* Python frames that have been entered. */
static inline int
recursion_depth(PyThreadState *ts)
{
    return ts->py_recursion_limit - ts->py_recursion_remaining;
}

/* Have that many more frames left. */
static inline void
recursion_add(PyThreadState *ts, int frames)
{
    ts->py_recursion_remaining += frames;
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
    return PyType_HasFeature(type, Py_TPFLAGS_VALID_VERSION_TAG);
}

static inline uint8_t
unit_opcode(PyCodeObject *code, Py_ssize_t index)
{
    return _PyCode_CODE(code)[index].op.code;
}

static inline void
unit_set_jump(PyCodeObject *code, Py_ssize_t index, uint8_t distance)
{
    _Py_CODEUNIT unit = {.op = {.code = JUMP_FORWARD, .arg = distance}};
    _PyCode_CODE(code)[index] = unit;
}

/* Let go what `co_code` has shown. */
static inline void
code_forget_copies(PyCodeObject *code)
{
    if (code->_co_cached != NULL) {
        Py_CLEAR(code->_co_cached->_co_code);
    }
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
    return frame->owner != FRAME_OWNED_BY_CSTACK && !_PyFrame_IsIncomplete(frame);
}

/* Make a frame go on at `unit` when the callback of a monitoring event returns. */
static inline void
frame_jump_to(Frame *frame, Py_ssize_t unit)
{
    frame->prev_instr = _PyCode_CODE(frame_code(frame)) + unit;
}

/* Items on the evaluation stack, in the callback of a monitoring event. */
static inline int
frame_stack_depth(Frame *frame)
{
    return frame->stacktop - frame_code(frame)->co_nlocalsplus;
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
    if (!(Py_TYPE(obj)->tp_flags & Py_TPFLAGS_MANAGED_DICT)) {
        return NULL;
    }
    PyDictOrValues held = *_PyObject_DictOrValuesPointer(obj);
    return _PyDictOrValues_IsValues(held) ? _PyDictOrValues_GetValues(held) : NULL;
}
