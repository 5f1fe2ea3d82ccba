/* The pending exception as one object.

   CPython 3.12 keeps it so; CPython 3.11 keeps type, value and traceback apart (Python/errors.c).
   Invariant: after take_error no exception is pending. Read failures.c for the use. */
#ifndef DYNTRACE_CPYTHON_ERRORS_H
#define DYNTRACE_CPYTHON_ERRORS_H

#include <Python.h>

/* take_error: normalised, owned by the caller; NULL if none is pending. give_error steals it. */
#if PY_VERSION_HEX >= 0x030C0000
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
#else
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
#endif

#endif
