/* Failures: whose is the pending exception, the program's or a region's own?

   Invariant: what was thrown into a region from outside goes on to the program. The answers are
   those of runtime/failures.py, which this calls. */
#include "native.h"

/* Functions of runtime/failures.py: (exception, callable[, owner]) -> bool. */
static PyObject *asynchronous, *failed_run, *failed_callback;
static PyObject *internal; /* the class of what strict mode raises */

static bool
goes_on(PyObject *question, PyObject *run, PyObject *owner)
{
    PyObject *error = take_error();
    if (error == NULL) {
        return false;
    }
    PyObject *answer = PyObject_CallFunctionObjArgs(question, error, run, owner, NULL);
    if (answer == NULL) {
        Py_DECREF(error); /* what interrupted the question takes its place */
        return !PyErr_ExceptionMatches(PyExc_Exception) || PyErr_ExceptionMatches(internal);
    }
    bool verdict = answer == Py_True;
    Py_DECREF(answer);
    give_error(error);
    return verdict;
}

bool
is_asynchronous(PyObject *run)
{
    return goes_on(asynchronous, run, NULL);
}

bool
run_failed(PyObject *run, PyObject *region)
{
    return goes_on(failed_run, run, region);
}

bool
callback_failed(PyObject *callback, PyObject *owner)
{
    return goes_on(failed_callback, callback, owner);
}

PyObject *
import_name(const char *module_name, const char *name)
{
    PyObject *module = PyImport_ImportModule(module_name), *found = NULL;
    if (module != NULL) {
        found = PyObject_GetAttrString(module, name);
        Py_DECREF(module);
    }
    return found;
}

int
failures_init(void)
{
    asynchronous = import_name("dyntrace.runtime.failures", "is_asynchronous");
    failed_run = import_name("dyntrace.runtime.failures", "run_failed");
    failed_callback = import_name("dyntrace.runtime.failures", "callback_failed");
    internal = import_name("dyntrace.errors", "InternalError");
    bool complete = asynchronous != NULL && failed_run != NULL && failed_callback != NULL;
    return complete && internal != NULL ? 0 : -1;
}
