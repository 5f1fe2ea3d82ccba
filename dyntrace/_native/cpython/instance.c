/* The attributes of an instance itself, read without giving it a dict.

   CPython keeps them in an array and their names in the class (Objects/dictobject.c). Reading
   `__dict__` moves them into a dict. From then on the specialised instructions do not apply, and
   all code that uses the instance's attributes takes two to four times as long.
   Invariant: reading does not change the instance and runs no user code. Read region/read.c for the
   use; the twins are in runtime/steps.py and graph/instances.py. */
#include "cpython/frame_py3xx.h"

#include "cpython/instance.h"

static PyDictKeysObject *
keys_of(PyObject *obj)
{
    return ((PyHeapTypeObject *)Py_TYPE(obj))->ht_cached_keys;
}

/* The dict, borrowed; NULL if there is none, or if an array holds the attributes. */
static PyObject *
dict_of(PyObject *obj)
{
    if (instance_values(obj) != NULL) {
        return NULL;
    }
    PyObject **place = _PyObject_GetDictPtr(obj);
    PyObject *dict = place == NULL ? NULL : *place;
    if (dict == NULL) {
        PyErr_Clear();
    }
    return dict;
}

PyObject *
instance_value(PyObject *obj, PyObject *name)
{
    PyDictValues *values = instance_values(obj);
    if (values == NULL) {
        PyObject *dict = dict_of(obj);
        PyObject *value = dict == NULL ? NULL : PyDict_GetItemWithError(dict, name);
        if (value == NULL) {
            PyErr_Clear();
        }
        return Py_XNewRef(value);
    }
    PyDictKeysObject *keys = keys_of(obj);
    for (Py_ssize_t index = 0; index < keys->dk_nentries; index++) {
        PyObject *key = DK_UNICODE_ENTRIES(keys)[index].me_key;
        if (key == name || (key != NULL && PyUnicode_Compare(key, name) == 0)) {
            return Py_XNewRef(values->values[index]);
        }
    }
    return NULL;
}

/* Copies the array into a dict; sets the dict to NULL on failure. */
static void
add_items(PyObject **items, PyObject *obj, PyDictValues *values)
{
    PyDictKeysObject *keys = keys_of(obj);
    for (Py_ssize_t index = 0; *items != NULL && index < keys->dk_nentries; index++) {
        PyObject *value = values->values[index];
        if (value != NULL
            && PyDict_SetItem(*items, DK_UNICODE_ENTRIES(keys)[index].me_key, value) < 0) {
            Py_CLEAR(*items);
        }
    }
}

/* Creates the new dict before it reads the instance. On 3.11 creating a dict may start a garbage
   collection, and a finalizer may give the instance a dict, which frees the array. */
PyObject *
instance_attributes(PyObject *module, PyObject *obj)
{
    (void)module;
    PyObject *items = PyDict_New();
    if (items == NULL) {
        return NULL;
    }
    PyDictValues *values = instance_values(obj);
    PyObject *dict = values != NULL ? NULL : dict_of(obj);
    if (values != NULL) {
        add_items(&items, obj, values);
    }
    else if (dict != NULL) {
        Py_XSETREF(items, Py_NewRef(dict));
    }
    return items;
}
