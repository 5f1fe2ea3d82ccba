/* Conversion of numbers to the dtype of a loop.

   Invariant: a number gets the bits that NumPy gives it beside an array. Where NumPy would warn or
   raise, the conversion fails without an exception, and NumPy runs the node. vm/run.c converts. */
#include "vm/array/scalars.h"

/* False: the number may overflow a float32 (FLT_MAX is just above 3.4e38), or another dtype. */
static bool
store_float(double value, int type, char *to)
{
    if (type == NPY_DOUBLE) {
        *(npy_double *)to = value;
        return true;
    }
    if (type == NPY_FLOAT && (value != value || (value <= 3.4e38 && value >= -3.4e38)
                              || value - value != 0)) {
        *(npy_float *)to = (npy_float)value;
        return true;
    }
    if (type == NPY_CFLOAT && value <= 3.4e38 && value >= -3.4e38) {
        ((npy_float *)to)[0] = (npy_float)value;
        ((npy_float *)to)[1] = 0;
        return true;
    }
    return false;
}

bool
scalar_store_count(const PyArray_Descr *descr, npy_intp count, char *to)
{
    switch (descr->type_num) {
    case NPY_DOUBLE:
        *(npy_double *)to = (npy_double)count;
        return true;
    case NPY_FLOAT:
        *(npy_float *)to = (npy_float)count;
        return true;
    case NPY_LONGDOUBLE:
        *(npy_longdouble *)to = (npy_longdouble)count;
        return true;
    case NPY_CDOUBLE:
        ((npy_double *)to)[0] = (npy_double)count;
        ((npy_double *)to)[1] = 0;
        return true;
    default:
        return false;
    }
}

/* PyArray_Pack for floats and ints, the commonest objects; -1: none of these. */
static int
store_quickly(PyObject *object, int type, char *to)
{
    if (PyArray_IsScalar(object, Double) && type == NPY_DOUBLE) {
        *(npy_double *)to = PyArrayScalar_VAL(object, Double);
        return true;
    }
    if (PyFloat_CheckExact(object)) {
        bool narrow = type == NPY_HALF || type == NPY_FLOAT || type == NPY_CFLOAT;
        return store_float(PyFloat_AS_DOUBLE(object), type, to) ? true : narrow ? false : -1;
    }
    bool inexact = type == NPY_DOUBLE || type == NPY_FLOAT;
    if (!PyLong_CheckExact(object) || (!inexact && type != NPY_LONG)) {
        return -1;
    }
    if (inexact) {
        double value = PyLong_AsDouble(object);
        return !PyErr_Occurred() && store_float(value, type, to);
    }
    *(npy_long *)to = PyLong_AsLong(object);
    return !PyErr_Occurred();
}

bool
scalar_store(const PyArray_Descr *descr, PyObject *object, char *to)
{
    int stored = store_quickly(object, descr->type_num, to);
    if (stored < 0) {
        stored = PyArray_Pack((PyArray_Descr *)descr, to, object) == 0;
    }
    if (!stored) {
        PyErr_Clear();
    }
    return stored;
}
