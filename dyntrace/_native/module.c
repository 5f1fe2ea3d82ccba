/* The module dyntrace._native: regions, on-stack replacement, the frame hook, threads and memory.

   Invariant: dyntrace needs nothing of this but for speed. Each part has a Python twin in
   dyntrace/runtime/ or dyntrace/exec/; runtime/handles.py and exec/machine_resources.py choose.
   Read region/call.c next, then vm/machine.c. */
#include "cpython/frame_py3xx.h"

#include <Python.h>

#include "ahead/loop_functions.h"
#include "ahead/loop_program.h"
#include "cpython/failures.h"
#include "cpython/hook.h"
#include "cpython/instance.h"
#include "cpython/osr.h"
#include "cpython/patch.h"
#include "cpython/shelter.h"
#include "os/arena.h"
#include "os/pool.h"
#include "region/entry.h"
#include "region/handle.h"
#include "vm/array/arrays.h"
#include "vm/floating.h"
#include "vm/machine.h"

static PyObject *
tracing_active(PyObject *module, PyObject *ignored)
{
    (void)module;
    (void)ignored;
    return PyBool_FromLong(is_watched(PyThreadState_Get()));
}

static PyObject *
recording_gate(PyObject *module, PyObject *ignored)
{
    PyThreadState *ts = PyThreadState_Get();
    if (is_watched(ts) || recursion_left(ts) < FRAMES_TO_COMPILE) {
        Py_RETURN_NONE;
    }
    Py_DECREF(hook_suspend(module, ignored));
    Py_RETURN_TRUE;
}

/* Threads and memory of the machine. The twins are in exec/machine_resources.py. */

static PyObject *
set_threads(PyObject *module, PyObject *number)
{
    (void)module;
    Py_ssize_t count = PyNumber_AsSsize_t(number, NULL); /* clips what is too large */
    if (count == -1 && PyErr_Occurred()) {
        return NULL;
    }
    pool_set_threads(count);
    Py_RETURN_NONE;
}

static PyObject *
get_threads(PyObject *module, PyObject *ignored)
{
    (void)module;
    (void)ignored;
    return PyLong_FromSsize_t(pool_threads());
}

static PyObject *
memory_held(PyObject *module, PyObject *ignored)
{
    (void)module;
    (void)ignored;
    return PyLong_FromSize_t(arena_held());
}

static PyObject *
memory_trim(PyObject *module, PyObject *number)
{
    (void)module;
    size_t limit = PyLong_AsSize_t(number);
    if (limit == (size_t)-1 && PyErr_Occurred()) {
        return NULL;
    }
    arena_trim(limit);
    Py_RETURN_NONE;
}

static PyMethodDef functions[] = {
    {"osr", (PyCFunction)(void (*)(void))osr, METH_FASTCALL,
     "osr(code, byte_offset): move the frame that called the calling Python function into "
     "`code`.\n"
     "True, or False where that is not possible."},
    {"own_attributes", instance_attributes, METH_O,
     "own_attributes(instance): its attributes, without making a dict for it; read only."},
    {"patch_jump", (PyCFunction)(void (*)(void))patch_jump, METH_FASTCALL,
     "patch_jump(code, byte_offset, target_byte_offset): let the stub that begins at the one be\n"
     "jumped over to the other, in this code object. True, or False where that is not possible."},
    {"set_clock", trial_set_clock, METH_O,
     "What regions are measured with: a callable that gives nanoseconds; None: the real clock."},
    {"hook_install", hook_install, METH_O,
     "Frames of this thread start in the code callback(code, globals) answers with, if any."},
    {"hook_remove", hook_remove, METH_NOARGS, "Undo the last hook_install of this thread."},
    {"hook_set", (PyCFunction)(void (*)(void))hook_set, METH_FASTCALL,
     "hook_set(code, replacement[, globals]): what frames of `code` (with these globals) start in;"
     "\n"
     "None: run as they are."},
    {"hook_forget", hook_forget, METH_O, "Have the callback asked about `code` again."},
    {"hook_suspend", hook_suspend, METH_NOARGS,
     "Let Python functions be called without the hook, as on-stack replacement needs it."},
    {"hook_resume", hook_resume, METH_NOARGS, "Undo hook_suspend."},
    {"sheltered", (PyCFunction)(void (*)(void))shelter_call, METH_FASTCALL,
     "sheltered(function, *args): call it; handlers of signals wait until it has returned."},
    {"tracing_active", tracing_active, METH_NOARGS,
     "True while this thread is traced or profiled, or a monitoring tool listens."},
    {"recording_gate", recording_gate, METH_NOARGS,
     "True if a recorder may be called now, with the hook suspended; None while watched, or too\n"
     "near to the limit of recursion."},
    {"set_threads", set_threads, METH_O,
     "Let a region use this many threads, the caller's included."},
    {"get_threads", get_threads, METH_NOARGS, "How many threads a region may use."},
    {"arena_held", memory_held, METH_NOARGS, "Bytes kept for the temporaries of later calls."},
    {"arena_trim", memory_trim, METH_O,
     "Release kept memory until at most this many bytes are held."},
    {"loop_functions", loop_functions, METH_NOARGS,
     "The addresses of the C functions that the machine code of loops may call, by name."},
    {"dot_function", loop_functions_dot, METH_O,
     "dot_function(dtype): the address of NumPy's dot of two vectors of that dtype."},
    {NULL, NULL, 0, NULL},
};

/* Runs once per process, however often the module is created. */
static int
set_up(void)
{
    static bool ready;
    if (ready) {
        return 0;
    }
    if (PyType_Ready(&Entry_Type) < 0 || PyType_Ready(&LoopProgram_Type) < 0 || array_init() < 0
        || floating_init() < 0 || failures_init() < 0 || region_init() < 0 || hook_init() < 0
        || machine_init() < 0) {
        return -1;
    }
    if (pool_init() < 0 || arena_init() < 0) {
        PyErr_NoMemory();
        return -1;
    }
    ready = true;
    return 0;
}

/* Static types, the hook and the pool belong to the process, so only the main interpreter may use
   them. */
static int
initialise(PyObject *module)
{
    if (PyInterpreterState_Get() != PyInterpreterState_Main()) {
        PyErr_SetString(PyExc_ImportError,
                        "dyntrace._native works in the main interpreter only, not in a "
                        "sub-interpreter");
        return -1;
    }
    if (set_up() < 0 || PyModule_AddType(module, &Handle_Type) < 0
        || PyModule_AddType(module, &Region_Type) < 0
        || PyModule_AddType(module, &Program_Type) < 0
        || PyModule_AddType(module, &LoopProgram_Type) < 0) {
        return -1;
    }
    return 0;
}

static PyModuleDef_Slot slots[] = {
    {Py_mod_exec, initialise},
#ifdef Py_mod_multiple_interpreters
    {Py_mod_multiple_interpreters, Py_MOD_MULTIPLE_INTERPRETERS_NOT_SUPPORTED},
#endif
    {0, NULL},
};

static struct PyModuleDef definition = {
    PyModuleDef_HEAD_INIT,
    .m_name = "dyntrace._native",
    .m_doc = "Regions, on-stack replacement, the frame hook, threads and memory in C.",
    .m_methods = functions,
    .m_slots = slots,
};

PyMODINIT_FUNC
PyInit__native(void)
{
    return PyModuleDef_Init(&definition);
}
