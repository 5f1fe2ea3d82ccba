/* Value: made from an array, and made into a view.

   Invariant: a value borrows; its array must live as long as the value is read. Read plan/views.c
   for the views of a plan. */
#include "vm/array/value.h"

#include "vm/array/layout.h"

void
value_load(PyArrayObject *array, Value *value)
{
    value->ndim = PyArray_NDIM(array);
    for (int i = 0; i < value->ndim; i++) {
        value->dims[i] = PyArray_DIM(array, i);
        value->strides[i] = PyArray_STRIDE(array, i);
    }
    value->size = layout_size(value->ndim, value->dims);
    value->where = IN_BASE;
    value->group = -1;
    value->offset = 0;
    value->owns = PyArray_CHKFLAGS(array, NPY_ARRAY_OWNDATA | NPY_ARRAY_WRITEABLE);
}

/* A view has the owner's flags for writing and alignment, as a view of NumPy's has. */
PyObject *
value_view(PyArrayObject *owner, const Value *value, char *address)
{
    PyArray_Descr *descr = PyArray_DESCR(owner);
    Py_INCREF(descr);
    int flags = PyArray_FLAGS(owner) & (NPY_ARRAY_WRITEABLE | NPY_ARRAY_ALIGNED);
    PyObject *view = PyArray_NewFromDescr(&PyArray_Type, descr, value->ndim, value->dims,
                                          value->strides, address, flags, NULL);
    if (view == NULL) {
        return NULL;
    }
    Py_INCREF(owner);
    if (PyArray_SetBaseObject((PyArrayObject *)view, (PyObject *)owner) < 0) {
        Py_CLEAR(view);
    }
    return view;
}
