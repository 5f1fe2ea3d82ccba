/* Imports: what C code needs of Python modules.

   Invariant: each part looks its attributes up once, in its `_init`. Read failures.c for a use. */
#include "cpython/imports.h"

PyObject *
import_attribute(const char *module_name, const char *name)
{
    PyObject *module = PyImport_ImportModule(module_name), *found = NULL;
    if (module != NULL) {
        found = PyObject_GetAttrString(module, name);
        Py_DECREF(module);
    }
    return found;
}
