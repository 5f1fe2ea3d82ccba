/* The exception for a malformed description of a program.

   Invariant: the first text wins. Each function of the parser and the verifier may report the
   failure of one that it calls, and the innermost knows best. Read program/parse.c and
   program/verify.c. */
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
