/* Frames of CPython 3.13 (Include/internal/pycore_frame.h).

   `instr_ptr` points to the running instruction. A return skips `return_offset` units. The first
   frame of an evaluation loop follows a frame that the C stack owns. Invariant: the header of each
   version defines the same names for frame_py3xx.h, which is the only file that includes it; read
   that next. */

/* What one evaluation loop takes of the C recursion counter (PY_EVAL_C_STACK_UNITS in
   Python/ceval.c). */
enum { RECURSION_UNITS = 2 };

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

static inline void
frame_make_current(PyThreadState *ts, Frame *frame)
{
    ts->current_frame = frame;
}

/* The frame that called this one within the same evaluation loop, or NULL. */
static inline Frame *
frame_inlined_caller(Frame *frame)
{
    Frame *caller = frame->previous;
    return caller == NULL || caller->owner == FRAME_OWNED_BY_CSTACK ? NULL : caller;
}

/* The size of a frame of `code`, in slots. */
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

/* Make the frame continue at `unit` when its running callee returns. */
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

/* Python frames that have been entered. */
static inline int
recursion_depth(PyThreadState *ts)
{
    return ts->py_recursion_limit - ts->py_recursion_remaining;
}

/* Raise the number of Python frames that may still be entered. */
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

/* Is the version tag valid? A change of the class invalidates it (Objects/typeobject.c). */
static inline bool
has_version_tag(PyTypeObject *type)
{
    return type->tp_version_tag != 0;
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

/* Drop what was derived from the bytecode: the bytes object of `co_code` (Objects/codeobject.c) and
   the traces of the optimiser (Python/optimizer.c). */
static inline void
code_forget_copies(PyCodeObject *code)
{
#ifdef _Py_TIER2
    _Py_Executors_InvalidateDependency(PyInterpreterState_Get(), code, 1);
#endif
    if (code->_co_cached != NULL) {
        Py_CLEAR(code->_co_cached->_co_code);
    }
}

/* Is a signal's handler due, in this thread or another? The caller need not hold the GIL. */
static inline bool
signal_is_pending(PyThreadState *ts)
{
    return (_Py_atomic_load_uintptr_relaxed(&ts->eval_breaker) & _PY_SIGNALS_PENDING_BIT) != 0;
}

/* The word whose low byte is not zero while the interpreter has something to do between two
   instructions: a signal, a waiting thread, an asynchronous exception, a pending call. */
static inline const void *
eval_breaker(PyThreadState *ts)
{
    return &ts->eval_breaker;
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
    return frame->owner != FRAME_OWNED_BY_CSTACK && !_PyFrame_IsIncomplete(frame);
}

/* Make the frame continue at `unit` when the callback of a monitoring event returns. */
static inline void
frame_jump_to(Frame *frame, Py_ssize_t unit)
{
    frame->instr_ptr = _PyCode_CODE(frame_code(frame)) + unit;
}

/* The number of items on the evaluation stack; valid in the callback of a monitoring event. */
static inline int
frame_stack_depth(Frame *frame)
{
    return frame->stacktop - frame_code(frame)->co_nlocalsplus;
}

/* The instruction pointer of the frame. Callers only compare it. */
static inline const void *
frame_place(Frame *frame)
{
    return frame->instr_ptr;
}

/* The array in which an instance without a dict keeps its attributes, or NULL. */
static inline PyDictValues *
instance_values(PyObject *obj)
{
    if (!(Py_TYPE(obj)->tp_flags & Py_TPFLAGS_INLINE_VALUES)
        || _PyObject_GetManagedDict(obj) != NULL) {
        return NULL;
    }
    PyDictValues *values = _PyObject_InlineValues(obj);
    return values->valid ? values : NULL;
}
