/* What C needs of Python modules: one attribute, looked up when a part is set up. */
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
