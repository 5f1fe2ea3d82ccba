/* Handle: what compiled code holds of a region: a callable that keeps nothing alive.

   The garbage collector does not traverse code objects (Objects/codeobject.c), so a handle that
   owned its region would make uncollectable cycles. A region has two handles. Compiled code calls
   the first in place of the original instructions; it is true when a resting region should be
   called all the same. The second, the marker, is called at the end of the original instructions.
   Invariant: a handle does not own its region; without one it returns None. The twin is in
   runtime/region.py. Read call.c next. */
#include "region/handle.h"

#include <structmember.h>

#include "region/call.h"
#include "region/retire.h"

static PyObject *
handle_call(PyObject *self, PyObject *const *args, size_t nargsf, PyObject *names)
{
    Region *region = ((Handle *)self)->region;
    if (names != NULL && PyTuple_GET_SIZE(names) != 0) {
        PyErr_SetString(PyExc_TypeError, "a handle takes no keyword arguments");
        return NULL;
    }
    /* A region without references is in its tp_dealloc, from which this call came. */
    if (region == NULL || Py_REFCNT(region) == 0) {
        Py_RETURN_NONE;
    }
    Py_INCREF(region);
    PyObject *result = call_region(region, args, nargsf);
    Py_DECREF(region);
    return result;
}

/* The original instructions have reached the end of the region. */
static PyObject *
marker_call(PyObject *self, PyObject *const *args, size_t nargsf, PyObject *names)
{
    (void)args;
    (void)nargsf;
    (void)names;
    Region *region = ((Handle *)self)->region;
    if (region != NULL && region->trial.started != 0) {
        trial_end_original(&region->trial);
    }
    Py_RETURN_NONE;
}

static int
handle_truth(PyObject *self)
{
    Region *region = ((Handle *)self)->region;
    return region != NULL && retire_rest_is_over(region);
}

/* The new handle or marker of a new region. */
Handle *
handle_of(Region *region, bool marker)
{
    Handle *handle = (Handle *)PyObject_CallNoArgs((PyObject *)&Handle_Type);
    if (handle != NULL) {
        handle->region = region;
        handle->call = marker ? marker_call : handle_call;
    }
    return handle;
}

static PyObject *
handle_new(PyTypeObject *type, PyObject *args, PyObject *keywords)
{
    if (PyTuple_GET_SIZE(args) != 0 || (keywords != NULL && PyDict_GET_SIZE(keywords) != 0)) {
        PyErr_SetString(PyExc_TypeError, "Handle() takes no arguments");
        return NULL;
    }
    Handle *handle = (Handle *)type->tp_alloc(type, 0);
    if (handle != NULL) {
        handle->call = handle_call;
    }
    return (PyObject *)handle;
}

static void
handle_dealloc(PyObject *self)
{
    Handle *handle = (Handle *)self;
    if (handle->weakrefs != NULL) {
        PyObject_ClearWeakRefs(self);
    }
    Py_TYPE(self)->tp_free(self);
}

static PyObject *
handle_reduce(PyObject *self, PyObject *ignored)
{
    (void)self;
    (void)ignored;
    PyObject *module = PyImport_ImportModule("dyntrace.runtime.region");
    if (module == NULL) {
        return NULL;
    }
    PyObject *empty = PyObject_GetAttrString(module, "_empty_handle");
    Py_DECREF(module);
    return empty == NULL ? NULL : Py_BuildValue("(N())", empty);
}

static PyMethodDef handle_methods[] = {
    {"__reduce__", handle_reduce, METH_NOARGS, "Copies and pickles are handles of no region."},
    {NULL, NULL, 0, NULL},
};

static PyNumberMethods handle_number = {.nb_bool = handle_truth};

PyTypeObject Handle_Type = {
    PyVarObject_HEAD_INIT(NULL, 0)
    .tp_name = "dyntrace._native.Handle",
    .tp_doc = "A weak, callable reference to a region; what compiled code holds.",
    .tp_basicsize = sizeof(Handle),
    .tp_flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_VECTORCALL,
    .tp_vectorcall_offset = offsetof(Handle, call),
    .tp_weaklistoffset = offsetof(Handle, weakrefs),
    .tp_call = PyVectorcall_Call,
    .tp_as_number = &handle_number,
    .tp_new = handle_new,
    .tp_dealloc = handle_dealloc,
    .tp_methods = handle_methods,
};
