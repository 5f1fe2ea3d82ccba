/* Bare: runs a script as the outermost frame of the thread, as `python script.py` does.

   Otherwise the frames of dyntrace's command line would count towards the recursion limit, and
   `warnings.warn(stacklevel=...)` and `inspect.stack()` would see them.
   Invariant: on return the thread's current frame and its recursion depth are as before. */
#include "sampler.h"

/* run(code, globals) */
PyObject *
bare_run(PyObject *module, PyObject *const *args, Py_ssize_t count)
{
    (void)module;
    if (count != 2 || !PyCode_Check(args[0]) || !PyDict_Check(args[1])) {
        PyErr_SetString(PyExc_TypeError, "run(code, globals)");
        return NULL;
    }
    PyThreadState *ts = PyThreadState_Get();
    Frame *below = frame_current(ts);
    int depth = recursion_depth(ts);
    frame_make_current(ts, NULL);
    recursion_add(ts, depth);
    PyObject *answer = PyEval_EvalCode(args[0], args[1], args[1]);
    recursion_add(ts, -depth);
    frame_make_current(ts, below);
    return answer;
}
