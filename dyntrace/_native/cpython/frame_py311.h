/* Frames of CPython 3.11 (Include/internal/pycore_frame.h).

   `prev_instr` points to the unit before the next one. `is_entry` marks the first frame of an
   evaluation loop. Invariant: the header of each version defines the same names for frame_py3xx.h,
   which is the only file that includes it; read that next. frame_push and frame_next_unit stand
   only here, for _sampler/reach.c. */

enum { RECURSION_UNITS = 0 }; /* CPython 3.11 counts C and Python calls together */

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

/* The size of a frame of `code`, in slots. */
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

/* Make the frame continue at `unit` when its running callee returns. */
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

/* Raise the number of Python frames that may still be entered. */
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

/* Is the version tag valid? A change of the class invalidates it (Objects/typeobject.c). */
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

/* Drop the bytes object that `co_code` has cached (Objects/codeobject.c). */
static inline void
code_forget_copies(PyCodeObject *code)
{
    Py_CLEAR(code->_co_code);
}

/* Is a signal's handler due, in this thread or another? The caller need not hold the GIL. */
static inline bool
signal_is_pending(PyThreadState *ts)
{
    (void)ts;
    return _Py_atomic_load_relaxed(&_PyRuntime.ceval.signals_pending) != 0;
}

/* The word whose low byte is not zero while the interpreter has something to do between two
   instructions: a signal, a waiting thread, an asynchronous exception, a pending call. */
static inline const void *
eval_breaker(PyThreadState *ts)
{
    return &ts->interp->ceval.eval_breaker;
}

static inline PyObject *
frame_globals(Frame *frame)
{
    return frame->f_globals;
}

/* Does the frame run Python code, and has it passed its prologue? */
static inline bool
frame_is_running(Frame *frame)
{
    return frame->f_code != NULL && !_PyFrame_IsIncomplete(frame);
}

/* The number of items on the evaluation stack; valid while a trace function runs. */
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

/* The instruction before which the interpreter called the trace function. */
static inline Py_ssize_t
frame_next_unit(Frame *frame)
{
    return frame->prev_instr - _PyCode_CODE(frame->f_code);
}

/* Make the frame continue at `unit` when its trace function returns. */
static inline void
frame_jump_to(Frame *frame, Py_ssize_t unit)
{
    frame->prev_instr = _PyCode_CODE(frame->f_code) + unit;
}

/* The instruction pointer of the frame. Callers only compare it. */
static inline const void *
frame_place(Frame *frame)
{
    return frame->prev_instr;
}

/* The array in which an instance without a dict keeps its attributes, or NULL. */
static inline PyDictValues *
instance_values(PyObject *obj)
{
    bool managed = Py_TYPE(obj)->tp_flags & Py_TPFLAGS_MANAGED_DICT;
    return managed ? *_PyObject_ValuesPointer(obj) : NULL;
}
