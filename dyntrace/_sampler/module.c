/* The module dyntrace._sampler: finds where a program spends its time, and moves running frames.

   Invariant: importing it imports no other module. dyntrace/programs/ calls it; sampler.h lists the
   parts. */
#include "sampler.h"

static PyObject *
sampler_start(PyObject *module, PyObject *args)
{
    (void)module;
    PyObject *candidate, *warm, *tally;
    long microseconds;
    unsigned samples;
    if (!PyArg_ParseTuple(args, "OOlIO", &candidate, &warm, &microseconds, &samples, &tally)) {
        return NULL;
    }
    tally_use(tally);
    Py_XSETREF(sampler_candidate, Py_NewRef(candidate));
    Py_XSETREF(sampler_warm, Py_NewRef(warm));
    sampler_samples = samples;
    return PyBool_FromLong(ticker_start(microseconds) == 0);
}

static PyObject *
sampler_stop(PyObject *module, PyObject *ignored)
{
    (void)module;
    (void)ignored;
    ticker_stop();
    Py_RETURN_NONE;
}

static PyObject *
sampler_hold(PyObject *module, PyObject *ignored)
{
    (void)module;
    (void)ignored;
    ticker_hold(PyThreadState_Get());
    Py_RETURN_NONE;
}

static PyObject *
sampler_release_parent(PyObject *module, PyObject *ignored)
{
    (void)module;
    (void)ignored;
    ticker_release_parent();
    Py_RETURN_NONE;
}

static PyObject *
sampler_release_child(PyObject *module, PyObject *ignored)
{
    (void)module;
    (void)ignored;
    ticker_release_child();
    Py_RETURN_NONE;
}

static PyObject *
sampler_runs(PyObject *module, PyObject *ignored)
{
    (void)module;
    (void)ignored;
    return PyBool_FromLong(ticker_runs());
}

static PyObject *
sampler_keep_memory(PyObject *module, PyObject *ignored)
{
    (void)module;
    (void)ignored;
    return PyBool_FromLong(memory_keep());
}

static PyMethodDef functions[] = {
    {"start", sampler_start, METH_VARARGS,
     "start(candidate, warm, microseconds, samples, tally or None): look at every interval; "
     "code is\n"
     "warm when `samples` looks have met it. False if no thread can be started."},
    {"stop", sampler_stop, METH_NOARGS, "Stop looking; the thread has ended when this returns."},
    {"hold", sampler_hold, METH_NOARGS, "End the thread because the process is about to fork."},
    {"release_parent", sampler_release_parent, METH_NOARGS,
     "Start again once os.fork has returned."},
    {"release_child", sampler_release_child, METH_NOARGS, "Start again in the child of a fork."},
    {"runs", sampler_runs, METH_NOARGS, "Whether the thread runs."},
    {"keep_memory", sampler_keep_memory, METH_NOARGS,
     "Have the process keep memory that it frees; False if nothing was changed."},
    {"run", (PyCFunction)(void (*)(void))bare_run, METH_FASTCALL,
     "run(code, globals): run a script as the outermost frame of the thread."},
    {"configure", move_configure, METH_O,
     "configure(serve): set the function that says where a frame of warm code continues."},
    {"replace", (PyCFunction)(void (*)(void))move_replace, METH_FASTCALL,
     "replace(code, replacement or None, id(globals)): set the code that new frames of `code` "
     "run;\n"
     "None lets `code` become warm again."},
#if PY_VERSION_HEX < 0x030C0000
    {"reach_configure", reach_configure, METH_O,
     "reach_configure(function): set the function without effect that moved frames call."},
    {"reach", (PyCFunction)(void (*)(void))reach, METH_FASTCALL,
     "reach(code, enabled): have looping frames of `code` come to `serve`, or no longer."},
    {"reach_now", reach_now, METH_NOARGS,
     "reach_now(): do for the calling frame what the end of a look does; for tests."},
#else
    {"on_start", (PyCFunction)(void (*)(void))move_on_start, METH_FASTCALL,
     "The callback of PY_START."},
    {"on_jump", (PyCFunction)(void (*)(void))move_on_jump, METH_FASTCALL, "The callback of JUMP."},
#endif
    {NULL, NULL, 0, NULL},
};

static int
initialise(PyObject *module)
{
    (void)module;
    if (PyInterpreterState_Get() != PyInterpreterState_Main()) {
        PyErr_SetString(PyExc_ImportError, "dyntrace._sampler works in the main interpreter only");
        return -1;
    }
    static bool ready;
    if (!ready && records_init() < 0) {
        return -1;
    }
    ready = true;
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
    .m_name = "dyntrace._sampler",
    .m_doc = "Where a program spends its time, and how its frames are moved.",
    .m_methods = functions,
    .m_slots = slots,
};

PyMODINIT_FUNC
PyInit__sampler(void)
{
    return PyModuleDef_Init(&definition);
}
