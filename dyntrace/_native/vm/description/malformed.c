/* The exception for a program's description that says something impossible.

   The parts of the parser and the verifier return what this does, from the innermost one on: the
   first text is kept. */
#include "vm/description/malformed.h"

#include <Python.h>

int
malformed(const char *text)
{
    if (!PyErr_Occurred()) {
        PyErr_Format(PyExc_ValueError, "a program's description is malformed: %s", text);
    }
    return -1;
}
