/* What C code needs of Python modules. */
#ifndef DYNTRACE_CPYTHON_IMPORTS_H
#define DYNTRACE_CPYTHON_IMPORTS_H

#include <Python.h>

/* An attribute of a module; NULL with an exception. */
PyObject *import_attribute(const char *module_name, const char *name);

#endif
