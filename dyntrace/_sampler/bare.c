/* Bare: a script runs with nothing below it, as if the interpreter had begun with it.

   Frames of the command line would be counted towards the recursion limit, be walked by
   `warnings.warn(stacklevel=...)`, and be shown by `inspect.stack()`.
   Invariant: the thread's frames and its count are as before when this returns. */
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
