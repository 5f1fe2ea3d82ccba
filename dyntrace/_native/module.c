/* The module dyntrace._native: regions, on-stack replacement and the frame hook in C.

   Invariant: nothing here is needed for anything but speed; each part has a Python twin in
   dyntrace/runtime/, and runtime/handles.py chooses. Read native.h for the parts. */
#include "native.h"

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

static PyMethodDef functions[] = {
    {"osr", (PyCFunction)(void (*)(void))osr, METH_FASTCALL,
     "osr(code, byte_offset): move the frame that called the calling Python function into `code`.\n"
     "True, or False where that is not possible."},
    {"patch_jump", (PyCFunction)(void (*)(void))patch_jump, METH_FASTCALL,
     "patch_jump(code, byte_offset, target_byte_offset): let the stub that begins at the one be\n"
     "jumped over to the other, in this code object. True, or False where that is not possible."},
    {"set_clock", set_clock, METH_O,
     "What regions are measured with: a callable that gives nanoseconds; None: the real clock."},
    {"hook_install", hook_install, METH_O,
     "Frames of this thread start in the code callback(code, globals) answers with, if any."},
    {"hook_remove", hook_remove, METH_NOARGS, "Undo the last hook_install of this thread."},
    {"hook_set", (PyCFunction)(void (*)(void))hook_set, METH_FASTCALL,
     "hook_set(code, replacement[, globals]): what frames of `code` (with these globals) start in;\n"
     "None: run as they are."},
    {"hook_forget", hook_forget, METH_O, "Have the callback asked about `code` again."},
    {"hook_suspend", hook_suspend, METH_NOARGS,
     "Let Python functions be called without the hook, as on-stack replacement needs it."},
    {"hook_resume", hook_resume, METH_NOARGS, "Undo hook_suspend."},
    {"tracing_active", tracing_active, METH_NOARGS,
     "True while this thread is traced or profiled, or a monitoring tool listens."},
    {"recording_gate", recording_gate, METH_NOARGS,
     "True if a recorder may be called now, with the hook suspended; None while watched, or too\n"
     "near to the limit of recursion."},
    {NULL, NULL, 0, NULL},
};

static struct PyModuleDef definition = {
    PyModuleDef_HEAD_INIT,
    .m_name = "dyntrace._native",
    .m_doc = "Regions, on-stack replacement and the frame hook in C.",
    .m_size = -1,
    .m_methods = functions,
};

PyMODINIT_FUNC
PyInit__native(void)
{
    PyObject *module = PyModule_Create(&definition);
    if (module == NULL) {
        return NULL;
    }
    if (PyType_Ready(&Entry_Type) < 0 || check_init() < 0 || floating_init() < 0
        || region_init() < 0 || hook_init() < 0
        || PyModule_AddType(module, &Handle_Type) < 0
        || PyModule_AddType(module, &Region_Type) < 0) {
        Py_DECREF(module);
        return NULL;
    }
    return module;
}
