/* The C functions that the machine code of loops may call, by name.

   Invariant: a function named "math.f" is the one of the C library that CPython's `math.f` calls
   (Modules/mathmodule.c), and gives the same bits for arguments for which `math.f` calls it. Those
   that CPython computes itself (gamma, lgamma, hypot, dist, fsum, remainder) are missing. Read
   numbers.h for the others. */
#include "ahead/loop_functions.h"

#include <math.h>
#include <stdbool.h>

#include "ahead/items.h"
#include "ahead/numbers.h"
#include "ahead/undo.h"
#include "vm/array/numpy.h"

typedef void (*AnyFunction)(void);

#define ONE(name) {"math." #name, (AnyFunction)(double (*)(double))name}
#define TWO(name) {"math." #name, (AnyFunction)(double (*)(double, double))name}

static const struct {
    const char *name;
    AnyFunction function;
} known[] = {
    ONE(sin),
    ONE(cos),
    ONE(tan),
    ONE(asin),
    ONE(acos),
    ONE(atan),
    ONE(sinh),
    ONE(cosh),
    ONE(tanh),
    ONE(asinh),
    ONE(acosh),
    ONE(atanh),
    ONE(exp),
    ONE(exp2),
    ONE(expm1),
    ONE(log),
    ONE(log2),
    ONE(log10),
    ONE(erf),
    ONE(erfc),
    ONE(cbrt),
    ONE(fabs),
    TWO(atan2),
    TWO(fmod),
    TWO(copysign),
    {"math.pow", (AnyFunction)numbers_math_pow},
    {"math.log1p", (AnyFunction)numbers_math_log1p},
    {"float_pow", (AnyFunction)numbers_float_pow},
    {"float_mod", (AnyFunction)numbers_float_mod},
    {"float_floordiv", (AnyFunction)numbers_float_floordiv},
    {"round_to_even", (AnyFunction)numbers_round_to_even},
    {"round_digits", (AnyFunction)numbers_round_digits},
    {"int_truediv", (AnyFunction)numbers_int_truediv},
    {"int_pow", (AnyFunction)numbers_int_pow},
    {"complex_abs", (AnyFunction)numbers_complex_abs},
    {"complex_div", (AnyFunction)numbers_complex_div},
    {"items_int", (AnyFunction)items_int},
    {"items_set_bool", (AnyFunction)items_set_bool},
    {"items_set_int", (AnyFunction)items_set_int},
    {"items_set_float", (AnyFunction)items_set_float},
    {"items_keep", (AnyFunction)items_keep},
    {"log_row", (AnyFunction)undo_log_row},
};

/* Objects that machine code compares pointers with. */
static const struct {
    const char *name;
    const void *object;
} objects[] = {
    {"object.float", &PyFloat_Type},
    {"object.true", Py_True},
    {"object.false", Py_False},
};

static PyObject *
address_of(AnyFunction function)
{
    return PyLong_FromVoidPtr((void *)(uintptr_t)function);
}

/* Adds an address, a new reference or NULL, to the table. */
static bool
add(PyObject *table, const char *name, PyObject *address)
{
    bool added = address != NULL && PyDict_SetItemString(table, name, address) == 0;
    Py_XDECREF(address);
    return added;
}

PyObject *
loop_functions(PyObject *module, PyObject *ignored)
{
    (void)module;
    (void)ignored;
    PyObject *table = PyDict_New();
    bool good = table != NULL;
    for (size_t i = 0; i < sizeof known / sizeof *known && good; i++) {
        good = add(table, known[i].name, address_of(known[i].function));
    }
    for (size_t i = 0; i < sizeof objects / sizeof *objects && good; i++) {
        void *address = (void *)(uintptr_t)objects[i].object;
        good = add(table, objects[i].name, PyLong_FromVoidPtr(address));
    }
    if (!good) {
        Py_CLEAR(table);
    }
    return table;
}

/* `a @ b` of two vectors calls this function with their strides. np.dot, np.inner and a.dot(b) copy
   a vector of more than one item whose stride is not positive first, and multiply single items
   (numpy/_core/src/common/cblasfuncs.c): other bits for floats and complex numbers. */
PyObject *
loop_functions_dot(PyObject *module, PyObject *dtype)
{
    (void)module;
    if (!PyArray_DescrCheck(dtype)) {
        PyErr_SetString(PyExc_TypeError, "dot_function() takes a dtype");
        return NULL;
    }
    AnyFunction dot = (AnyFunction)PyDataType_GetArrFuncs((PyArray_Descr *)dtype)->dotfunc;
    if (dot == NULL) {
        return PyErr_Format(PyExc_ValueError, "NumPy has no dot of %R", dtype);
    }
    return address_of(dot);
}
