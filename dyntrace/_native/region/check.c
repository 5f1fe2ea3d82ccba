/* What the value of a guard step must be.

   Invariant: a check compares types, identities and plain constants. It runs no user code and
   leaves no exception pending. No other file here reads NumPy's structures. The twin is the second
   half of runtime/steps.py. Read read.c for where the value comes from, entry.c for the loop over
   steps. */
#include "cpython/frame_py3xx.h"

#include "region/check.h"

#include "vm/array/arrays.h"

static bool
check_array(const Step *step, PyObject *value)
{
    if (!PyArray_CheckExact(value)) {
        return false;
    }
    PyArrayObject *array = (PyArrayObject *)value;
    PyArray_Descr *dtype = PyArray_DESCR(array);
    if (PyArray_NDIM(array) != step->d) {
        return false;
    }
    if ((PyObject *)dtype == step->c) {
        return step->number >= 0;
    }
    return dtype->type_num == step->number && array_dtype_is_plain(dtype)
           && Py_TYPE(dtype) == Py_TYPE(step->c);
}

static bool
check_exact(const Step *step, PyObject *value)
{
    return (PyObject *)Py_TYPE(value) == step->c;
}

static bool
check_is(const Step *step, PyObject *value)
{
    return value == step->c;
}

/* What a weak guard compares with. A dead reference gives None, so a new object at the same address
   does not pass. */
static PyObject *
referent(const Step *step)
{
    return ((PyWeakReference *)step->c)->wr_object;
}

static bool
check_is_weak(const Step *step, PyObject *value)
{
    return value == referent(step) && value != Py_None;
}

static bool
check_exact_weak(const Step *step, PyObject *value)
{
    return (PyObject *)Py_TYPE(value) == referent(step);
}

/* The size of a NumPy scalar; 0 for other types, and for long doubles, which have padding. */
static size_t
scalar_size(PyTypeObject *type)
{
    if (!PyType_IsSubtype(type, &PyNumberArrType_Type) && type != &PyBoolArrType_Type) {
        return 0;
    }
    PyArray_Descr *dtype = PyArray_DescrFromTypeObject((PyObject *)type);
    if (dtype == NULL) {
        PyErr_Clear();
        return 0;
    }
    bool padded = dtype->type_num == NPY_LONGDOUBLE || dtype->type_num == NPY_CLONGDOUBLE;
    size_t size = dtype->typeobj == type && !padded ? (size_t)PyDataType_ELSIZE(dtype) : 0;
    Py_DECREF(dtype);
    return size;
}

static bool
same_scalar(PyObject *one, PyObject *other)
{
    char bytes[2][16];
    size_t size = scalar_size(Py_TYPE(one));
    if (size == 0 || size > sizeof(bytes[0])) {
        return false;
    }
    PyArray_ScalarAsCtype(one, bytes[0]);
    PyArray_ScalarAsCtype(other, bytes[1]);
    return memcmp(bytes[0], bytes[1], size) == 0;
}

static bool
same_float(double one, double other)
{
    return memcmp(&one, &other, sizeof one) == 0;
}

static bool same_constant(PyObject *one, PyObject *other);

static bool
same_tuple(PyObject *one, PyObject *other)
{
    Py_ssize_t length = PyTuple_GET_SIZE(one);
    if (length != PyTuple_GET_SIZE(other)) {
        return false;
    }
    for (Py_ssize_t i = 0; i < length; i++) {
        if (!same_constant(PyTuple_GET_ITEM(one, i), PyTuple_GET_ITEM(other, i))) {
            return false;
        }
    }
    return true;
}

static bool
same_slice(PySliceObject *one, PySliceObject *other)
{
    return same_constant(one->start, other->start) && same_constant(one->stop, other->stop)
           && same_constant(one->step, other->step);
}

static bool
same_by_comparison(PyObject *one, PyObject *other)
{
    int equal = PyObject_RichCompareBool(one, other, Py_EQ);
    if (equal < 0) {
        PyErr_Clear();
    }
    return equal > 0;
}

static bool
same_constant(PyObject *one, PyObject *other)
{
    PyTypeObject *type = Py_TYPE(one);
    if (one == other) {
        return true;
    }
    if (type != Py_TYPE(other)) {
        return false;
    }
    if (type == &PyLong_Type || type == &PyUnicode_Type || type == &PyBytes_Type) {
        return same_by_comparison(one, other);
    }
    if (type == &PyFloat_Type) {
        return same_float(PyFloat_AS_DOUBLE(one), PyFloat_AS_DOUBLE(other));
    }
    if (type == &PyTuple_Type) {
        return same_tuple(one, other);
    }
    if (type == &PySlice_Type) {
        return same_slice((PySliceObject *)one, (PySliceObject *)other);
    }
    if (type == &PyComplex_Type) {
        Py_complex a = PyComplex_AsCComplex(one), b = PyComplex_AsCComplex(other);
        return same_float(a.real, b.real) && same_float(a.imag, b.imag);
    }
    return same_scalar(one, other);
}

static bool
check_value(const Step *step, PyObject *value)
{
    return same_constant(value, step->c);
}

static bool
check_sequence(const Step *step, PyObject *value)
{
    if ((PyObject *)Py_TYPE(value) != step->c) {
        return false;
    }
    return (PyDict_Check(value) ? PyDict_GET_SIZE(value) : Py_SIZE(value)) == step->d;
}

static bool
check_sequence_weak(const Step *step, PyObject *value)
{
    return check_exact_weak(step, value)
           && (PyDict_Check(value) ? PyDict_GET_SIZE(value) : Py_SIZE(value)) == step->d;
}

/* An exact dict with these keys in this order. */
static bool
check_keys(const Step *step, PyObject *value)
{
    PyObject *key;
    Py_ssize_t position = 0, count = 0;
    if (!PyDict_CheckExact(value) || PyDict_GET_SIZE(value) != PyTuple_GET_SIZE(step->c)) {
        return false;
    }
    while (PyDict_Next(value, &position, &key, NULL)) {
        if (!same_constant(key, PyTuple_GET_ITEM(step->c, count++))) {
            return false;
        }
    }
    return true;
}

static bool
check_plain(const Step *step, PyObject *value)
{
    return (PyObject *)Py_TYPE(value) == step->c
           && type_is_unchanged(Py_TYPE(value), step->version);
}

static bool
check_plain_weak(const Step *step, PyObject *value)
{
    return check_exact_weak(step, value) && type_is_unchanged(Py_TYPE(value), step->version);
}

PyTypeObject *
check_plain_type(const Step *step)
{
    PyObject *type = step->check == check_plain        ? step->c
                     : step->check == check_plain_weak ? referent(step)
                                                       : Py_None;
    return type == Py_None ? NULL : (PyTypeObject *)type;
}

/* Compilation ------------------------------------------------------------------------------- */
static const struct Guard {
    const char *name;
    bool (*check)(const Step *step, PyObject *value);
    bool (*weak)(const Step *step, PyObject *value);
    bool wants_type;
    bool wants_number;
} GUARDS[] = {
    {"none", NULL, NULL, false, false},
    {"array", check_array, NULL, false, true},
    {"exact", check_exact, check_exact_weak, true, false},
    {"is", check_is, check_is_weak, false, false},
    {"value", check_value, NULL, false, false},
    {"sequence", check_sequence, check_sequence_weak, true, true},
    {"plain", check_plain, check_plain_weak, true, false},
    {"keys", check_keys, NULL, false, false},
    {NULL, NULL, NULL, false, false},
};

static int
compile_array(Step *step, PyObject *c)
{
    if (!PyArray_DescrCheck(c)) {
        PyErr_SetString(PyExc_TypeError, "the array guard needs a dtype");
        return -1;
    }
    PyArray_Descr *dtype = (PyArray_Descr *)c;
    step->number = array_dtype_is_plain(dtype) ? dtype->type_num : -1;
    return 0;
}

static int
compile_sequence(PyObject *c)
{
    PyTypeObject *type = (PyTypeObject *)c;
    if (PyType_FastSubclass(type, Py_TPFLAGS_TUPLE_SUBCLASS | Py_TPFLAGS_LIST_SUBCLASS
                                      | Py_TPFLAGS_DICT_SUBCLASS)) {
        return 0;
    }
    PyErr_SetString(PyExc_TypeError, "the sequence guard needs a tuple, list or dict type");
    return -1;
}

static int
compile_number(Step *step, PyObject *d)
{
    if (!PyLong_CheckExact(d)) {
        PyErr_SetString(PyExc_TypeError, "the guard needs a number");
        return -1;
    }
    step->d = PyNumber_AsSsize_t(d, NULL);
    return 0;
}

int
check_compile(Step *step, const char *guard, PyObject *c, PyObject *d)
{
    const struct Guard *found = GUARDS;
    while (found->name != NULL && strcmp(found->name, guard) != 0) {
        found++;
    }
    if (found->name == NULL) {
        PyErr_Format(PyExc_ValueError, "unknown guard '%s' in a step", guard);
        return -1;
    }
    step->check = found->check;
    step->c = Py_NewRef(c);
    if (found->weak != NULL && PyWeakref_CheckRefExact(c)) {
        step->check = found->weak;
        c = ((PyWeakReference *)c)->wr_object;
        if (c == Py_None) { /* it is dead: no value will pass */
            step->check = check_is_weak;
            return 0;
        }
    }
    if (found->wants_type && !PyType_Check(c)) {
        PyErr_SetString(PyExc_TypeError, "the guard needs a type");
        return -1;
    }
    if (found->check == check_keys && !PyTuple_CheckExact(c)) {
        PyErr_SetString(PyExc_TypeError, "the keys guard needs a tuple");
        return -1;
    }
    if (found->wants_number && compile_number(step, d) < 0) {
        return -1;
    }
    if (found->check == check_array) {
        return compile_array(step, c);
    }
    if (found->check == check_plain) {
        step->version = type_version((PyTypeObject *)c);
    }
    return found->check == check_sequence ? compile_sequence(c) : 0;
}
