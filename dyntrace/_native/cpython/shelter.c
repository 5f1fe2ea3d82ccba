/* Shelter: what dyntrace does for a program is not interrupted by the program's signal handlers.

   A handler that ran in the middle of an analysis would see frames that are not the program's, and
   what it raises would have to be told from an error of dyntrace's own. Handlers that fall due run
   when the call is over, in the program's frame; what they raise is raised there.
   Invariant: whatever the call does, handlers run again when it has returned. The Python twin in
   runtime/absent.py just calls. */
#include "cpython/signals.h"

#include "cpython/shelter.h"

/* sheltered(function, *args) */
PyObject *
shelter_call(PyObject *module, PyObject *const *args, Py_ssize_t count)
{
    (void)module;
    if (count < 1) {
        PyErr_SetString(PyExc_TypeError, "sheltered(function, *args)");
        return NULL;
    }
    unsigned long handlers = handlers_hold();
    PyObject *answer = PyObject_Vectorcall(args[0], args + 1, (size_t)(count - 1), NULL);
    if (handlers_release(handlers) < 0) {
        Py_CLEAR(answer);
    }
    return answer;
}
