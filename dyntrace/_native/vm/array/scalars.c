/* Numbers that take part in loops: from Python objects to the dtype of a loop.

   Invariant: a number is converted as NumPy converts it beside an array, or not at all where NumPy
   would warn or raise. */
#include "vm/array/scalars.h"

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

/* What PyArray_Pack would do, for the commonest; -1: something else. */
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

/* Converts as NumPy converts a number beside an array; false if eager would warn or raise. */
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
