/* The frame hook (PEP 523): frames of the threads that asked for it start in replacement code.

   The hook gives a frame that has not started another code object, and the default evaluator runs
   it: there is no second frame. Each code object carries the callback's answer in its co_extra: run
   it as it is, or run a replacement. Unseen code has none, so the hook asks the callback.
   Invariants: the hook changes a frame only if the thread owns it, it has not started, no tool
   watches it, and the layout stays the same. It costs no C recursion. It never overflows the C
   stack: once half of the stack is used, the remaining calls run without the hook. A watched frame
   and its calls run without it too, since CPython reports the end of an awaited coroutine and the
   return of a function to tools in another way while a hook is set (SEND and CALL test `eval_frame`
   in Python/bytecodes.c). Without the native module runtime/absent.py stands in. Read osr.c
   next. */
#include "cpython/frame_layout.h"

#include "cpython/hook.h"

#include <pthread.h>

#include "cpython/failures.h"

static struct {
    _PyFrameEvalFunction next; /* the evaluator that was set before ours */
    Py_ssize_t installed;      /* by all threads together */
    Py_ssize_t extra_index;
} hook_state = {NULL, 0, -1};

static _Thread_local struct {
    PyObject *callbacks; /* list: this thread's installations, innermost last */
    Py_ssize_t depth;    /* its length */
    bool busy;           /* the callback runs: leave its frames alone */
    bool suspended;
    char *stack_middle;  /* below it half of the C stack is used; NULL: not known yet */
} here;

static PyObject *hook(PyThreadState *ts, Frame *frame, int throwflag);

/* The C stack ------------------------------------------------------------------------------- */
static char *
find_stack_middle(char *address)
{
    const size_t assumed = 512 * 1024; /* if the system does not tell the size */
#ifdef __linux__
    pthread_attr_t attributes;
    void *lowest = NULL;
    size_t size = 0;
    if (pthread_getattr_np(pthread_self(), &attributes) == 0) {
        int failed = pthread_attr_getstack(&attributes, &lowest, &size);
        pthread_attr_destroy(&attributes);
        if (!failed && (char *)lowest + size / 2 < address) {
            return (char *)lowest + size / 2;
        }
    }
#endif
    return address - assumed;
}

static bool
is_stack_half_used(void)
{
    char local;
    char *address = &local;
    if (here.stack_middle == NULL) {
        here.stack_middle = find_stack_middle(address);
    }
    return address < here.stack_middle;
}

/* Installing and removing ------------------------------------------------------------------- */
static void
activate(void)
{
    PyInterpreterState *interpreter = PyInterpreterState_Get();
    _PyFrameEvalFunction current = _PyInterpreterState_GetEvalFrameFunc(interpreter);
    if (current != hook && hook_state.installed > 0) {
        hook_state.next = current;
        _PyInterpreterState_SetEvalFrameFunc(interpreter, hook);
    }
}

/* An evaluator that another tool has set after ours stays, and goes on calling ours. */
static void
deactivate(void)
{
    PyInterpreterState *interpreter = PyInterpreterState_Get();
    if (_PyInterpreterState_GetEvalFrameFunc(interpreter) == hook) {
        _PyInterpreterState_SetEvalFrameFunc(interpreter, hook_state.next);
    }
}

PyObject *
hook_install(PyObject *module, PyObject *callback)
{
    (void)module;
    if (!PyCallable_Check(callback)) {
        PyErr_SetString(PyExc_TypeError, "the hook's callback must be callable");
        return NULL;
    }
    if (here.callbacks == NULL && (here.callbacks = PyList_New(0)) == NULL) {
        return NULL;
    }
    if (PyList_Append(here.callbacks, callback) < 0) {
        return NULL;
    }
    here.depth++;
    here.suspended = false;
    hook_state.installed++;
    activate();
    Py_RETURN_TRUE;
}

PyObject *
hook_remove(PyObject *module, PyObject *ignored)
{
    (void)module;
    (void)ignored;
    if (here.depth == 0) {
        Py_RETURN_NONE;
    }
    here.depth--;
    hook_state.installed--;
    if (hook_state.installed == 0) {
        deactivate();
    }
    PyList_SetSlice(here.callbacks, here.depth, here.depth + 1, NULL);
    if (here.depth == 0) {
        Py_CLEAR(here.callbacks);
    }
    Py_RETURN_NONE;
}

PyObject *
hook_suspend(PyObject *module, PyObject *ignored)
{
    (void)module;
    (void)ignored;
    if (here.depth > 0) {
        here.suspended = true;
        deactivate();
    }
    Py_RETURN_NONE;
}

PyObject *
hook_resume(PyObject *module, PyObject *ignored)
{
    (void)module;
    (void)ignored;
    here.suspended = false;
    activate();
    Py_RETURN_NONE;
}

/* What a code object carries ---------------------------------------------------------------- */
/* The callback's answer for a code object. It applies to frames with the same globals. */
typedef struct {
    PyCodeObject *replacement; /* NULL: frames run as they are */
    const PyObject *globals;   /* not owned, only compared; NULL: any */
    int asked;                 /* how often the callback was asked about this code */
} Answer;

enum { MAX_ASKED = 8 };

static void
drop_extra(void *extra)
{
    Answer *answer = extra;
    if (answer != NULL) {
        Py_XDECREF(answer->replacement);
        PyMem_Free(answer);
    }
}

static Answer *
get_extra(PyCodeObject *code)
{
    void *extra = NULL;
    if (_PyCode_GetExtra((PyObject *)code, hook_state.extra_index, &extra) < 0) {
        PyErr_Clear();
    }
    return extra;
}

static int
set_extra(PyCodeObject *code, PyObject *replacement, const PyObject *globals)
{
    Answer *old = get_extra(code), *answer = PyMem_New(Answer, 1);
    if (answer == NULL) {
        PyErr_NoMemory();
        return -1;
    }
    bool replaces = PyCode_Check(replacement) && replacement != (PyObject *)code;
    answer->replacement = replaces ? (PyCodeObject *)Py_NewRef(replacement) : NULL;
    answer->globals = globals;
    answer->asked = old == NULL ? 0 : old->asked;
    if (_PyCode_SetExtra((PyObject *)code, hook_state.extra_index, answer) < 0) {
        drop_extra(answer);
        return -1;
    }
    return 0;
}

PyObject *
hook_set(PyObject *module, PyObject *const *args, Py_ssize_t count)
{
    (void)module;
    if (count < 2 || count > 3 || !PyCode_Check(args[0])
        || (args[1] != Py_None && !PyCode_Check(args[1]))
        || (count == 3 && !PyLong_CheckExact(args[2]))) {
        PyErr_SetString(PyExc_TypeError,
                        "hook_set(code, replacement or None[, address of globals])");
        return NULL;
    }
    const void *globals = count == 3 ? PyLong_AsVoidPtr(args[2]) : NULL;
    if (globals == NULL && PyErr_Occurred()) {
        return NULL;
    }
    if (set_extra((PyCodeObject *)args[0], args[1], globals) < 0) {
        return NULL;
    }
    Py_RETURN_NONE;
}

PyObject *
hook_forget(PyObject *module, PyObject *code)
{
    (void)module;
    if (!PyCode_Check(code)) {
        PyErr_SetString(PyExc_TypeError, "hook_forget(code)");
        return NULL;
    }
    if (_PyCode_SetExtra(code, hook_state.extra_index, NULL) < 0) {
        return NULL;
    }
    Py_RETURN_NONE;
}

/* Does the code belong to dyntrace: to one of its modules, or generated by one? */
static bool
is_own(Frame *frame, PyCodeObject *code)
{
    const char *file = PyUnicode_AsUTF8(code->co_filename);
    if (file == NULL) {
        PyErr_Clear();
    }
    else if (strncmp(file, "<dyntrace", 9) == 0) {
        return true;
    }
    PyObject *module = PyDict_GetItemString(frame->f_globals, "__name__");
    const char *name =
        module != NULL && PyUnicode_CheckExact(module) ? PyUnicode_AsUTF8(module) : "";
    if (name == NULL) {
        PyErr_Clear();
        return false;
    }
    return strncmp(name, "dyntrace", 8) == 0 && (name[8] == '\0' || name[8] == '.');
}

static bool
is_for(const Answer *answer, Frame *frame)
{
    return answer->globals == NULL || answer->globals == frame->f_globals;
}

/* Asks the callback and keeps its answer; -1 with an exception thrown into it from outside. */
static int
ask(Frame *frame, PyCodeObject *code)
{
    if (set_extra(code, Py_None, NULL) < 0) {
        PyErr_Clear();
        return 0;
    }
    get_extra(code)->asked++;
    if (is_own(frame, code)) {
        return 0;
    }
    PyObject *callback = Py_NewRef(PyList_GET_ITEM(here.callbacks, here.depth - 1));
    here.busy = true;
    PyObject *answer =
        PyObject_CallFunctionObjArgs(callback, (PyObject *)code, frame->f_globals, NULL);
    here.busy = false;
    int status = 0;
    if (answer == NULL && failure_of_callback(callback, Py_None)) {
        status = -1;
    }
    else if (answer != NULL) {
        status = set_extra(code, answer, frame->f_globals) < 0 ? -2 : 0;
    }
    if (status != -1) {
        PyErr_Clear();
        status = 0;
    }
    Py_XDECREF(answer);
    Py_DECREF(callback);
    return status;
}

/* Starting a frame in other code ------------------------------------------------------------ */
/* CPython makes a generator from the function of its first frame: the function's code gives the
   size and the flags (_Py_MakeCoro in Objects/genobject.c). So the frame gets a function with
   `code`. */
static int
replace_function(Frame *frame, PyCodeObject *code)
{
    PyFunctionObject *old = (PyFunctionObject *)*frame_function(frame);
    PyFunctionObject *new = (PyFunctionObject *)PyFunction_NewWithQualName(
        (PyObject *)code, old->func_globals, old->func_qualname);
    if (new == NULL) {
        PyErr_Clear();
        return -1;
    }
    Py_XSETREF(new->func_name, Py_NewRef(old->func_name));
    Py_XSETREF(new->func_closure, Py_XNewRef(old->func_closure));
    *frame_function(frame) = (PyObject *)new;
    Py_DECREF(old);
    return 0;
}

static void
start_in(PyThreadState *ts, Frame *frame, PyCodeObject *code)
{
    PyCodeObject *old = frame_code(frame);
    Py_ssize_t growth = frame_slots(code) - frame_slots(old);
    if (!same_layout(old, code)
        || (PyObject **)frame + frame_slots(old) != ts->datastack_top
        || ts->datastack_limit - ts->datastack_top <= growth) {
        return;
    }
    bool suspends = old->co_flags & (CO_GENERATOR | CO_COROUTINE | CO_ASYNC_GENERATOR);
    if (suspends && replace_function(frame, code) < 0) {
        return;
    }
    ts->datastack_top += growth;
    frame_set_code(frame, code);
    frame_restart(frame);
}

static PyObject *
evaluate_without_hook(PyThreadState *ts, Frame *frame, int throwflag)
{
    deactivate();
    PyObject *result = hook_state.next(ts, frame, throwflag);
    activate();
    return result;
}

/* Without a hook CPython runs a Python callee in the caller's evaluation loop, at no C recursion.
   The hook starts a loop, so it gives back the units that the loop takes. */
static PyObject *
evaluate(PyThreadState *ts, Frame *frame, int throwflag)
{
    if (is_stack_half_used()) {
        return evaluate_without_hook(ts, frame, throwflag);
    }
    recursion_units_add(ts, RECURSION_UNITS);
    PyObject *result = hook_state.next(ts, frame, throwflag);
    recursion_units_add(ts, -RECURSION_UNITS);
    if (here.suspended) { /* an exception kept the caller of hook_suspend from resuming */
        here.suspended = false;
        activate();
    }
    return result;
}

static PyObject *
hook(PyThreadState *ts, Frame *frame, int throwflag)
{
    if (is_instrumented(ts)) {
        return evaluate_without_hook(ts, frame, throwflag);
    }
    if (here.depth == 0 || here.busy || throwflag || frame->owner != FRAME_OWNED_BY_THREAD
        || !frame_is_fresh(frame)) {
        return evaluate(ts, frame, throwflag);
    }
    PyCodeObject *code = frame_code(frame);
    Answer *answer = get_extra(code);
    bool unseen = answer == NULL || (!is_for(answer, frame) && answer->asked < MAX_ASKED);
    if (unseen && recursion_left(ts) >= FRAMES_TO_COMPILE) {
        if (ask(frame, code) < 0) {
            return evaluate(ts, frame, 1);
        }
        answer = get_extra(code);
    }
    if (answer != NULL && answer->replacement != NULL && is_for(answer, frame)) {
        PyCodeObject *replacement = (PyCodeObject *)Py_NewRef(answer->replacement);
        start_in(ts, frame, replacement);
        Py_DECREF(replacement);
    }
    return evaluate(ts, frame, throwflag);
}

int
hook_init(void)
{
    hook_state.extra_index = _PyEval_RequestCodeExtraIndex(drop_extra);
    if (hook_state.extra_index < 0) {
        PyErr_SetString(PyExc_ImportError, "no room for another co_extra index");
        return -1;
    }
    return 0;
}
