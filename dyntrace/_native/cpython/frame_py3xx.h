/* Everything that differs between the supported Pythons, under one set of names.

   Invariant: no file outside this folder reads the Python version or CPython's internal
   structures. On any other version this header stops the compiler, and dyntrace uses the Python
   twins. Read osr.c and hook.c for what is done with frames. */
#ifndef DYNTRACE_FRAME_PY3XX_H
#define DYNTRACE_FRAME_PY3XX_H

#ifdef Py_PYTHON_H
#error "the internal headers change what Python.h declares: include this one first"
#endif
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
#if PY_VERSION_HEX >= 0x030C0000
#include <internal/pycore_range.h>
#endif
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
/* The tools of sys.monitoring that listen to an event in the whole interpreter. Each byte stands
   for an event and has one bit per tool. Bits 6 and 7 are sys.setprofile and sys.settrace
   (Include/internal/pycore_instruments.h). */
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

/* The version tag of a class; 0 if CPython assigns none. */
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

static inline unsigned
type_version(PyTypeObject *type)
{
    /* A look-up of a short name assigns the tag (_PyType_Lookup in Objects/typeobject.c). */
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

/* Locks the list of thread states: until threads_unlock no thread state is added or removed, not
   even by a thread without the GIL. Returns false if the list is locked. This thread itself may
   have locked it: on 3.11 sys._current_frames holds the lock while finalizers run
   (Python/pystate.c). */
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

/* Is this the first unit of a stub, so that a jump may replace it? No if a tool instrumented it. */
static inline bool
unit_is_patchable(PyCodeObject *code, Py_ssize_t index)
{
    uint8_t opcode = unit_opcode(code, index);
    return opcode == PUSH_NULL || opcode == LOAD_CONST || opcode == EXTENDED_ARG
           || opcode == JUMP_FORWARD;
}

/* The attribute of the first class in the MRO that has it, borrowed; NULL without an exception. */
static inline PyObject *
type_lookup(PyTypeObject *type, PyObject *name)
{
    return _PyType_Lookup(type, name);
}

/* Is this the class whose `version` was read, without a change since? */
static inline bool
type_is_unchanged(PyTypeObject *type, unsigned version)
{
    return type->tp_version_tag == version && version != 0 && has_version_tag(type);
}

/* Does a tracer, a profiler or a monitoring tool see this thread's instructions? Each call of a
   region asks. The mask leaves out bits 6 and 7, which other threads may have set. */
static inline bool
is_watched(PyThreadState *ts)
{
    return ts->c_tracefunc != NULL || ts->c_profilefunc != NULL
           || (monitoring_tools(ts) & 0x3F3F3F3F3F3F3F3F) != 0;
}

/* May CPython have instrumented instructions, for this thread or for another one? */
static inline bool
is_instrumented(PyThreadState *ts)
{
    return is_watched(ts) || monitoring_tools(ts) != 0;
}

#endif
