/* Everything that differs between the supported Pythons, under one set of names.

   Invariant: no file outside this folder looks at the Python version or at CPython's internal
   structures directly. An unknown version does not compile, and the Python twin is used instead.
   Read osr.c and hook.c for what is done with frames. */
#ifndef DYNTRACE_FRAME_PY3XX_H
#define DYNTRACE_FRAME_PY3XX_H

#define PY_SSIZE_T_CLEAN
#define Py_BUILD_CORE 1
#include <Python.h>
#include <opcode.h>
#include <internal/pycore_context.h>
#include <internal/pycore_dict.h>
#include <internal/pycore_frame.h>
#include <internal/pycore_interp.h>
#include <internal/pycore_object.h>
#include <internal/pycore_runtime.h>
#if PY_VERSION_HEX >= 0x030D0000
#include <internal/pycore_ceval.h>
#endif
#undef Py_BUILD_CORE
#include <assert.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#if PY_VERSION_HEX < 0x030B0000 || PY_VERSION_HEX >= 0x030E0000
#error "dyntrace._native knows the frames of CPython 3.11, 3.12 and 3.13 only"
#endif
#ifdef Py_GIL_DISABLED
#error "dyntrace._native relies on the global interpreter lock"
#endif

typedef struct _PyInterpreterFrame Frame;

#if PY_VERSION_HEX >= 0x030D0000
#include "cpython/frame_py313.h"
#elif PY_VERSION_HEX >= 0x030C0000
#include "cpython/frame_py312.h"
#else
#include "cpython/frame_py311.h"
#endif

#if PY_VERSION_HEX >= 0x030C0000
/* sys.monitoring: the tools that have any event switched on for the whole interpreter, as bits of
   each byte (6 and 7 stand for sys.setprofile and sys.settrace). */
static inline uint64_t
monitoring_tools(PyThreadState *ts)
{
    const uint8_t *events = ts->interp->monitors.tools;
    uint64_t first, last;
    memcpy(&first, events, sizeof first);
    memcpy(&last, events + sizeof(ts->interp->monitors.tools) - sizeof last, sizeof last);
    return first | last;
}

static_assert(sizeof(((PyInterpreterState *)NULL)->monitors.tools) <= 16, "two words cover it");

static inline PyObject *
take_error(void)
{
    return PyErr_GetRaisedException();
}

static inline void
give_error(PyObject *error)
{
    PyErr_SetRaisedException(error);
}

/* The version tag of a class, 0 if it cannot have one. */
static inline unsigned
type_version(PyTypeObject *type)
{
    return PyUnstable_Type_AssignVersionTag(type) ? type->tp_version_tag : 0;
}
#else
static inline uint64_t
monitoring_tools(PyThreadState *ts)
{
    (void)ts;
    return 0;
}

static inline PyObject *
take_error(void)
{
    PyObject *type, *value, *traceback;
    PyErr_Fetch(&type, &value, &traceback);
    if (type == NULL) {
        return NULL;
    }
    PyErr_NormalizeException(&type, &value, &traceback);
    if (traceback != NULL) {
        PyException_SetTraceback(value, traceback);
    }
    Py_DECREF(type);
    Py_XDECREF(traceback);
    return value;
}

static inline void
give_error(PyObject *error)
{
    PyErr_Restore(Py_NewRef(Py_TYPE(error)), error, PyException_GetTraceback(error));
}

static inline unsigned
type_version(PyTypeObject *type)
{
    /* Any look-up of a short name assigns a tag. */
    PyObject *name = PyUnicode_InternFromString("__dict__");
    if (name == NULL) {
        PyErr_Clear();
        return 0;
    }
    _PyType_Lookup(type, name);
    Py_DECREF(name);
    return has_version_tag(type) ? type->tp_version_tag : 0;
}
#endif

/* While no thread counts as the main one, signal handlers and pending calls wait. Gives what to
   release afterwards, 0 where there is nothing to hold: other threads run no handlers. */
static inline unsigned long
handlers_hold(void)
{
    unsigned long main = _PyRuntime.main_thread;
    if (main == 0 || main != PyThread_get_thread_ident()) {
        return 0;
    }
    _PyRuntime.main_thread = 0;
    return main;
}

/* Run what has waited; -1 with the exception of a handler, or with the one that was set before. */
static inline int
handlers_release(unsigned long held)
{
    if (held == 0) {
        return PyErr_Occurred() == NULL ? 0 : -1;
    }
    _PyRuntime.main_thread = held;
    PyObject *before = take_error();
    if (Py_MakePendingCalls() == 0) {
        if (before == NULL) {
            return 0;
        }
        give_error(before);
    }
    else if (before != NULL) {
        PyObject *error = take_error();
        PyException_SetContext(error, before);
        give_error(error);
    }
    return -1;
}

/* No thread state is made or dropped in between, not even without the GIL. False where that is under
   way: this thread itself may be at it, in code that a garbage collection runs. */
static inline bool
threads_try_lock(void)
{
#if PY_VERSION_HEX >= 0x030D0000
    uint8_t unlocked = 0;
    return _Py_atomic_compare_exchange_uint8(&_PyRuntime.interpreters.mutex._bits, &unlocked, 1);
#else
    return PyThread_acquire_lock(_PyRuntime.interpreters.mutex, NOWAIT_LOCK) == PY_LOCK_ACQUIRED;
#endif
}

static inline void
threads_unlock(void)
{
#if PY_VERSION_HEX >= 0x030D0000
    PyMutex_Unlock(&_PyRuntime.interpreters.mutex);
#else
    PyThread_release_lock(_PyRuntime.interpreters.mutex);
#endif
}

/* May a stub that begins here be jumped over? Not where a tool has put its own instruction. */
static inline bool
unit_is_patchable(PyCodeObject *code, Py_ssize_t index)
{
    uint8_t opcode = unit_opcode(code, index);
    return opcode == PUSH_NULL || opcode == LOAD_CONST || opcode == EXTENDED_ARG
           || opcode == JUMP_FORWARD;
}

/* Is the class the one, and as it was, when `version` was read? */
static inline bool
type_is_unchanged(PyTypeObject *type, unsigned version)
{
    return type->tp_version_tag == version && version != 0 && has_version_tag(type);
}

/* The thread's context variables, an immutable mapping, borrowed; NULL before the first is set. */
static inline PyObject *
context_variables(PyThreadState *ts)
{
    return ts->context == NULL ? NULL : (PyObject *)((PyContext *)ts->context)->ctx_vars;
}

static inline Py_ssize_t
context_count(PyObject *variables)
{
    return ((PyHamtObject *)variables)->h_count;
}

/* Give a thread that has a context other variables; what a variable keeps for speed is outdated. */
static inline void
context_exchange(PyThreadState *ts, PyObject *variables)
{
    PyContext *context = (PyContext *)ts->context;
    PyObject *old = (PyObject *)context->ctx_vars;
    context->ctx_vars = (PyHamtObject *)Py_NewRef(variables);
    ts->context_ver++;
    Py_DECREF(old);
}

/* Sees a tracer, profiler or monitoring tool the thread's instructions? Region calls ask this. */
static inline bool
is_watched(PyThreadState *ts)
{
    return ts->c_tracefunc != NULL || ts->c_profilefunc != NULL
           || (monitoring_tools(ts) & 0x3F3F3F3F3F3F3F3F) != 0;
}

/* The same for the whole interpreter: instructions may be instrumented. */
static inline bool
is_instrumented(PyThreadState *ts)
{
    return is_watched(ts) || monitoring_tools(ts) != 0;
}

#endif
