/* Moving frames: a callback of sys.monitoring moves the frame that triggered it into other code.

   After a callback the interpreter reads the frame's instruction pointer anew, because a debugger
   may have set the line (Python/instrumentation.c). So a frame can be moved at its start
   (PY_START), and at a jump back to the head of a loop (JUMP). The Python function
   `serve(code, function, globals, offset, values, stack)` answers with (new code, byte offset), or
   None to leave the frame.
   Invariants: the new code has the same layout of locals. Its frame must fit: the topmost frame of
   a thread may grow, a generator's may not. The old code outlives the callback, since the
   interpreter still uses it through a borrowed reference. A frame whose frame object somebody else
   holds (a debugger, a traceback) is not moved. On CPython 3.11 reach.c does this work. */
#include "sampler.h"

static PyObject *serve;
static PyObject *old_codes; /* list of the code objects that frames left; the next look clears it */

void
move_release_old_codes(void)
{
    if (old_codes != NULL && PyList_GET_SIZE(old_codes) > 0) {
        PyList_SetSlice(old_codes, 0, PyList_GET_SIZE(old_codes), NULL);
    }
}

PyObject *
move_configure(PyObject *module, PyObject *callback)
{
    (void)module;
    if (old_codes == NULL && (old_codes = PyList_New(0)) == NULL) {
        return NULL;
    }
    Py_XSETREF(serve, Py_NewRef(callback));
    Py_RETURN_NONE;
}

/* replace(code, replacement or None, address of globals): sets the code that new frames of `code`
   with these globals run. */
PyObject *
move_replace(PyObject *module, PyObject *const *args, Py_ssize_t count)
{
    (void)module;
    if (count != 3 || !PyCode_Check(args[0]) || (args[1] != Py_None && !PyCode_Check(args[1]))
        || !PyLong_CheckExact(args[2])) {
        PyErr_SetString(PyExc_TypeError, "replace(code, replacement or None, address of globals)");
        return NULL;
    }
    Record *record = records_make((PyCodeObject *)args[0]);
    const void *globals = PyLong_AsVoidPtr(args[2]);
    if (record == NULL || (globals == NULL && PyErr_Occurred())) {
        return PyErr_Occurred() ? NULL : PyErr_NoMemory();
    }
    bool replaces = args[1] != Py_None && args[1] != args[0];
    PyCodeObject *old = record->replacement;
    record->replacement = replaces ? (PyCodeObject *)Py_NewRef(args[1]) : NULL;
    record->globals = globals;
    if (args[1] == Py_None) { /* looks count it from zero */
        record->standing = CANDIDATE;
        record->samples = 0;
    }
    Py_XDECREF(old);
    Py_RETURN_NONE;
}

static bool
make_room(PyThreadState *ts, Frame *frame, PyCodeObject *old, PyCodeObject *new)
{
    Py_ssize_t growth = frame_slots(new) - frame_slots(old);
    if (growth == 0) {
        return true;
    }
#ifdef Py_DEBUG
    if (growth < 0) {
        return false;
    }
#endif
    if (growth < 0) {
        return true;
    }
    if (frame->owner != FRAME_OWNED_BY_THREAD
        || (PyObject **)frame + frame_slots(old) != ts->datastack_top
        || ts->datastack_limit - ts->datastack_top <= growth) {
        return false;
    }
    ts->datastack_top += growth;
    return true;
}

static bool
can_leave(Frame *frame)
{
    return (frame->owner == FRAME_OWNED_BY_THREAD || frame->owner == FRAME_OWNED_BY_GENERATOR)
           && (frame->frame_obj == NULL || Py_REFCNT(frame->frame_obj) == 1);
}

static bool
move(PyThreadState *ts, Frame *frame, PyCodeObject *new, Py_ssize_t unit)
{
    PyCodeObject *old = frame_code(frame);
    if (!can_leave(frame) || !same_layout(old, new) || unit <= 0 || unit >= Py_SIZE(new)
        || PyList_Append(old_codes, (PyObject *)old) < 0) {
        PyErr_Clear();
        return false;
    }
    if (!make_room(ts, frame, old, new)) {
        return false;
    }
    frame_set_code(frame, new);
    frame_jump_to(frame, unit);
    return true;
}

/* The items of the evaluation stack; Ellipsis stands for NULL. */
static PyObject *
stack_values(Frame *frame)
{
    int depth = frame_stack_depth(frame), base = frame_code(frame)->co_nlocalsplus;
    PyObject *values = PyTuple_New(depth < 0 ? 0 : depth);
    for (int place = 0; values != NULL && place < depth; place++) {
        PyObject *value = frame->localsplus[base + place];
        PyTuple_SET_ITEM(values, place, Py_NewRef(value == NULL ? Py_Ellipsis : value));
    }
    return values;
}

/* Asks `serve` where the frame continues. 1 if it was moved, 0 if it stays, -1 with an exception of
   the program's (a signal handler raised). */
int
move_ask(PyThreadState *ts, Frame *frame, PyCodeObject *code, PyObject *offset)
{
    PyObject *values = sampler_frame_values(frame);
    PyObject *stack = values == NULL ? NULL : stack_values(frame);
    if (stack == NULL) {
        Py_XDECREF(values);
        PyErr_Clear();
        return 0;
    }
    bool moved = false;
    PyObject *function = *frame_function(frame);
    unsigned long handlers = handlers_hold();
    recursion_add(ts, HEADROOM);
    PyObject *answer = PyObject_CallFunctionObjArgs(
        serve, (PyObject *)code, function == NULL ? Py_None : function, frame_globals(frame),
        offset, values, stack, NULL);
    Py_DECREF(values);
    Py_DECREF(stack);
    recursion_add(ts, -HEADROOM);
    if (handlers_release(handlers) < 0) {
        Py_XDECREF(answer);
        return -1;
    }
    if (PyTuple_CheckExact(answer) && PyTuple_GET_SIZE(answer) == 2
        && PyCode_Check(PyTuple_GET_ITEM(answer, 0)) && frame_code(frame) == code) {
        Py_ssize_t place = PyLong_AsSsize_t(PyTuple_GET_ITEM(answer, 1));
        PyErr_Clear();
        moved = move(ts, frame, (PyCodeObject *)PyTuple_GET_ITEM(answer, 0),
                     place / (Py_ssize_t)sizeof(_Py_CODEUNIT));
    }
    Py_DECREF(answer);
    return moved;
}

#if PY_VERSION_HEX >= 0x030C0000
/* Sets the __code__ of the frame's function, so that later calls need no callback. */
static void
exchange_code(Frame *frame, PyCodeObject *old, PyCodeObject *new)
{
    PyObject *function = *frame_function(frame);
    if (function != NULL && PyFunction_Check(function)
        && PyFunction_GET_CODE(function) == (PyObject *)old
        && PyObject_SetAttrString(function, "__code__", (PyObject *)new) < 0) {
        PyErr_Clear();
    }
}

static bool
is_event_of(Frame *frame, PyObject *code, Py_ssize_t count, Py_ssize_t wanted)
{
    return count >= wanted && frame != NULL && frame->owner != FRAME_OWNED_BY_CSTACK
           && (PyObject *)frame_code(frame) == code;
}

/* PY_START(code, offset) */
PyObject *
move_on_start(PyObject *module, PyObject *const *args, Py_ssize_t count)
{
    (void)module;
    PyThreadState *ts = PyThreadState_Get();
    Frame *frame = frame_current(ts);
    if (!is_event_of(frame, count > 0 ? args[0] : NULL, count, 2)) {
        Py_RETURN_NONE;
    }
    PyCodeObject *code = (PyCodeObject *)args[0];
    Record *record = records_find(code);
    if (record != NULL && record->replacement != NULL
        && record->globals == frame_globals(frame)) {
        PyCodeObject *new = (PyCodeObject *)Py_NewRef(record->replacement);
        Py_ssize_t unit = PyLong_AsSsize_t(args[1]) / (Py_ssize_t)sizeof(_Py_CODEUNIT) + 1;
        move(ts, frame, new, unit); /* the units up to RESUME are the same in both codes */
        exchange_code(frame, code, new);
        Py_DECREF(new);
        Py_RETURN_NONE;
    }
    if (move_ask(ts, frame, code, Py_None) < 0) {
        return NULL;
    }
    Py_RETURN_NONE;
}

/* JUMP(code, offset, destination) */
PyObject *
move_on_jump(PyObject *module, PyObject *const *args, Py_ssize_t count)
{
    (void)module;
    PyThreadState *ts = PyThreadState_Get();
    Frame *frame = frame_current(ts);
    if (!is_event_of(frame, count > 0 ? args[0] : NULL, count, 3)
        || PyLong_AsSsize_t(args[2]) > PyLong_AsSsize_t(args[1])) {
        Py_RETURN_NONE;
    }
    if (move_ask(ts, frame, (PyCodeObject *)args[0], args[2]) < 0) {
        return NULL;
    }
    Py_RETURN_NONE;
}
#endif
