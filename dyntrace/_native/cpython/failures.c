/* Failures: does the pending exception belong to the program or to a region?

   Invariant: an exception that was thrown into a region from outside goes on to the program.
   This file asks the functions of runtime/failures.py; read that next. */
#include "cpython/failures.h"

#include "cpython/errors.h"
#include "cpython/imports.h"

/* Functions of runtime/failures.py: (exception, callable[, owner]) -> bool. */
static PyObject *asynchronous, *failed_run, *failed_callback;
static PyObject *internal; /* InternalError, which strict mode raises */

/* The answer of `question`. The exception is pending again afterwards. */
static bool
goes_on(PyObject *question, PyObject *run, PyObject *owner)
{
    PyObject *error = take_error();
    if (error == NULL) {
        return false;
    }
    PyObject *answer = PyObject_CallFunctionObjArgs(question, error, run, owner, NULL);
    if (answer == NULL) {
        Py_DECREF(error); /* the question's exception replaces it */
        return !PyErr_ExceptionMatches(PyExc_Exception) || PyErr_ExceptionMatches(internal);
    }
    bool verdict = answer == Py_True;
    Py_DECREF(answer);
    give_error(error);
    return verdict;
}

bool
failure_is_asynchronous(PyObject *run)
{
    return goes_on(asynchronous, run, NULL);
}

bool
failure_of_run(PyObject *run, PyObject *region)
{
    return goes_on(failed_run, run, region);
}

bool
failure_of_callback(PyObject *callback, PyObject *owner)
{
    return goes_on(failed_callback, callback, owner);
}

int
failures_init(void)
{
    asynchronous = import_attribute("dyntrace.runtime.failures", "is_asynchronous");
    failed_run = import_attribute("dyntrace.runtime.failures", "run_failed");
    failed_callback = import_attribute("dyntrace.runtime.failures", "callback_failed");
    internal = import_attribute("dyntrace.errors", "InternalError");
    bool complete = asynchronous != NULL && failed_run != NULL && failed_callback != NULL;
    return complete && internal != NULL ? 0 : -1;
}
