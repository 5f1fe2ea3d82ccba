/* Shelter: signal handlers of the program do not interrupt what dyntrace does for it.

   A handler that ran during an analysis would see dyntrace's frames, and its exception
   would look like an error of dyntrace's. Handlers that fall due meanwhile run when the call has
   returned, in the program's frame, and raise there.
   Invariant: handlers run again after the call, whatever it does. Read signals.h for how they are
   held. The Python twin in runtime/absent.py calls without a shelter. */
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
