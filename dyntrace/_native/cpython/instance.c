/* The attributes that an instance holds itself, read without making a dict for it.

   CPython keeps them in an array whose names the class has, until somebody asks for `__dict__`;
   from then on its specialised instructions do not fit the instance any more, and all code that
   reads or stores its attributes is two to four times slower (Objects/dictobject.c).
   Invariant: an instance is left as it was found, and nothing of the user's runs. */
#include "cpython/frame_py3xx.h"

#include "cpython/instance.h"

static PyDictKeysObject *
keys_of(PyObject *obj)
{
    return ((PyHeapTypeObject *)Py_TYPE(obj))->ht_cached_keys;
}

/* Borrowed; NULL where it has none, or may have values instead. */
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

/* Puts what the array holds into the dict, which becomes NULL where that fails. */
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

/* The new dict is made before the instance is looked at: on 3.11 making it may collect garbage, and
   a finalizer may give the instance another dict, which frees its array. */
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
