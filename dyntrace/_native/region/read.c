/* Where the value of a guard step comes from.

   Invariant: a read looks into dicts, slots, cells, functions and exact built-in containers. It
   runs no descriptor, no __getattr__ and no other user code, and leaves no exception pending. The
   twin is the first half of runtime/steps.py. Read check.c next for what the value must be. */
#include "cpython/frame_py3xx.h"

#include "region/read.h"

#include <structmember.h>

#include "cpython/instance.h"

static PyObject *
dict_value(PyObject *dict, PyObject *key)
{
    PyObject *value = PyDict_GetItemWithError(dict, key);
    if (value == NULL && PyErr_Occurred()) {
        PyErr_Clear();
    }
    return Py_XNewRef(value);
}

/* Looks into the step's dict, into the value of an earlier step, or into the caller's globals. */
static PyObject *
read_global(const Step *step, PyObject *base)
{
    static PyObject *builtins_name = NULL;
    PyObject *mapping = step->mapping != NULL ? step->mapping
                        : base != NULL        ? base
                                              : PyEval_GetGlobals();
    if (mapping == NULL || !PyDict_CheckExact(mapping)) {
        return NULL;
    }
    PyObject *value = dict_value(mapping, step->b);
    if (value != NULL) {
        return value;
    }
    if (builtins_name == NULL) {
        builtins_name = PyUnicode_InternFromString("__builtins__");
        if (builtins_name == NULL) {
            PyErr_Clear();
            return NULL;
        }
    }
    PyObject *builtins = dict_value(mapping, builtins_name);
    if (builtins == NULL) {
        return NULL;
    }
    PyObject *namespace = PyModule_CheckExact(builtins) ? PyModule_GetDict(builtins) : builtins;
    if (PyDict_CheckExact(namespace)) {
        value = dict_value(namespace, step->b);
    }
    Py_DECREF(builtins);
    return value;
}

/* For a name that the class does not have: then the generic look-up finds the instance's own value,
   without creating a dict for it (Objects/object.c). */
static PyObject *
read_generic(const Step *step, PyObject *base)
{
    PyObject *value = PyObject_GenericGetAttr(base, step->b);
    if (value == NULL) {
        PyErr_Clear();
    }
    return value;
}

static PyObject *
read_field(const Step *step, PyObject *base)
{
    return Py_XNewRef(*(PyObject **)((char *)base + step->index));
}

static PyObject *
read_member(PyObject *member, PyObject *base)
{
    PyObject *value = Py_TYPE(member)->tp_descr_get(member, base, (PyObject *)Py_TYPE(base));
    if (value == NULL) {
        PyErr_Clear();
    }
    return value;
}

/* The class has the name too, but no data descriptor, so the instance's value takes precedence. */
static PyObject *
read_shadowing(const Step *step, PyObject *base, PyObject *on_class)
{
    if (Py_TYPE(on_class)->tp_descr_get == NULL) {
        PyObject *value = read_generic(step, base);
        if (value != on_class) {
            return value;
        }
        Py_DECREF(value); /* from the instance or from the class? Look again. */
    }
    return instance_value(base, step->b);
}

static PyObject *
read_attribute(const Step *step, PyObject *base)
{
    PyTypeObject *type = Py_TYPE(base);
    if (PyType_Check(base)) {
        return NULL;
    }
    PyObject *on_class = type_lookup(type, step->b);
    if (on_class == NULL) {
        return read_generic(step, base);
    }
    if (Py_IS_TYPE(on_class, &PyMemberDescr_Type)) {
        return read_member(on_class, base);
    }
    if (Py_TYPE(on_class)->tp_descr_set != NULL) {
        return NULL;
    }
    return read_shadowing(step, base, on_class);
}

/* True while the instance itself has no attribute of that name; else NULL. */
static PyObject *
read_lacks(const Step *step, PyObject *base)
{
    PyObject *own = read_attribute(step, base);
    if (own != NULL) {
        Py_DECREF(own);
        return NULL;
    }
    return Py_NewRef(Py_True);
}

/* A "plain" guard fixes the class and its attributes, so the kind of look-up can be chosen now. */
void
read_specialise(Step *step, PyTypeObject *type)
{
    if (step->read != read_attribute || PyType_IsSubtype(type, &PyType_Type)) {
        return;
    }
    PyObject *on_class = type_lookup(type, step->b);
    if (on_class == NULL) {
        step->read = read_generic;
        return;
    }
    if (!Py_IS_TYPE(on_class, &PyMemberDescr_Type)) {
        return;
    }
    PyMemberDescrObject *member = (PyMemberDescrObject *)on_class;
    bool simple = member->d_member->type == T_OBJECT_EX
                  && (member->d_member->flags & ~READONLY) == 0
                  && PyType_IsSubtype(type, member->d_common.d_type);
    if (simple) {
        step->read = read_field;
        step->index = member->d_member->offset;
    }
}

static PyObject *
read_module(const Step *step, PyObject *base)
{
    return PyModule_CheckExact(base) ? dict_value(PyModule_GetDict(base), step->b) : NULL;
}

static PyObject *
read_cell(const Step *step, PyObject *base)
{
    (void)step;
    return PyCell_Check(base) ? Py_XNewRef(PyCell_GET(base)) : NULL;
}

static PyObject *
read_item(const Step *step, PyObject *base)
{
    if (PyDict_CheckExact(base)) {
        return dict_value(base, step->b);
    }
    bool is_tuple = PyTuple_CheckExact(base);
    if ((!is_tuple && !PyList_CheckExact(base)) || !PyLong_CheckExact(step->b)) {
        return NULL;
    }
    Py_ssize_t length = Py_SIZE(base);
    Py_ssize_t index = step->index < 0 ? step->index + length : step->index;
    if (index < 0 || index >= length) {
        return NULL;
    }
    return Py_NewRef(is_tuple ? PyTuple_GET_ITEM(base, index) : PyList_GET_ITEM(base, index));
}

static PyObject *
or_none(PyObject *value)
{
    return Py_NewRef(value == NULL ? Py_None : value);
}

static PyObject *
read_code(const Step *step, PyObject *base)
{
    (void)step;
    return PyFunction_Check(base) ? Py_NewRef(PyFunction_GET_CODE(base)) : NULL;
}

static PyObject *
read_defaults(const Step *step, PyObject *base)
{
    (void)step;
    return PyFunction_Check(base) ? or_none(PyFunction_GET_DEFAULTS(base)) : NULL;
}

static PyObject *
read_kwdefaults(const Step *step, PyObject *base)
{
    (void)step;
    return PyFunction_Check(base) ? or_none(PyFunction_GET_KW_DEFAULTS(base)) : NULL;
}

static PyObject *
read_closure(const Step *step, PyObject *base)
{
    (void)step;
    return PyFunction_Check(base) ? or_none(PyFunction_GET_CLOSURE(base)) : NULL;
}

static PyObject *
read_globals(const Step *step, PyObject *base)
{
    (void)step;
    return PyFunction_Check(base) ? Py_NewRef(PyFunction_GET_GLOBALS(base)) : NULL;
}

/* The object of a weak reference; NULL if it is dead. */
static PyObject *
read_held(const Step *step, PyObject *base)
{
    (void)base;
    PyObject *value = ((PyWeakReference *)step->b)->wr_object;
    return value == Py_None ? NULL : Py_NewRef(value);
}

static PyObject *
read_type(const Step *step, PyObject *base)
{
    (void)step;
    return Py_NewRef(Py_TYPE(base));
}

static PyObject *
read_class(const Step *step, PyObject *base)
{
    return PyType_Check(base) ? Py_XNewRef(type_lookup((PyTypeObject *)base, step->b)) : NULL;
}

/* Compilation ------------------------------------------------------------------------------- */
enum Operand { NOTHING, NAME, KEY, PART, REFERENCE };

static const struct Source {
    const char *name;
    PyObject *(*read)(const Step *step, PyObject *base);
    enum Operand operand;
} SOURCES[] = {
    {"argument", NULL, NOTHING},
    {"global", read_global, NAME},
    {"attribute", read_attribute, NAME},
    {"lacks", read_lacks, NAME},
    {"module", read_module, NAME},
    {"cell", read_cell, NOTHING},
    {"item", read_item, KEY},
    {"function", NULL, PART},
    {"held", read_held, REFERENCE},
    {"type", read_type, NOTHING},
    {"class", read_class, NAME},
    {NULL, NULL, NOTHING},
};

static const struct Source PARTS[] = {
    {"code", read_code, NOTHING},
    {"defaults", read_defaults, NOTHING},
    {"kwdefaults", read_kwdefaults, NOTHING},
    {"closure", read_closure, NOTHING},
    {"globals", read_globals, NOTHING},
    {NULL, NULL, NOTHING},
};

static const struct Source *
find_source(const struct Source *table, const char *name)
{
    while (table->name != NULL && strcmp(table->name, name) != 0) {
        table++;
    }
    return table->name == NULL ? NULL : table;
}

static int
compile_base(Step *step, bool is_argument, PyObject *a, Py_ssize_t position)
{
    if (!PyLong_CheckExact(a)) {
        PyErr_SetString(PyExc_TypeError,
                        "a step refers to an argument or an earlier step by number");
        return -1;
    }
    step->a = PyLong_AsSsize_t(a);
    if (step->a < 0 || (!is_argument && step->a >= position)) {
        PyErr_SetString(PyExc_ValueError, "a step refers to a step that is not before it");
        return -1;
    }
    return 0;
}

static int
compile_name(Step *step, PyObject *b)
{
    if (!PyUnicode_CheckExact(b)) {
        PyErr_SetString(PyExc_TypeError, "a name must be a string");
        return -1;
    }
    step->b = Py_NewRef(b);
    PyUnicode_InternInPlace(&step->b);
    return 0;
}

static int
compile_key(Step *step, PyObject *b)
{
    if (PyLong_CheckExact(b)) {
        step->index = PyNumber_AsSsize_t(b, NULL); /* clips what no sequence reaches */
    }
    else if (!PyUnicode_CheckExact(b)) {
        PyErr_SetString(PyExc_TypeError, "an item is named by an int or a string");
        return -1;
    }
    step->b = Py_NewRef(b);
    return 0;
}

static int
compile_part(Step *step, PyObject *b)
{
    const char *name = PyUnicode_CheckExact(b) ? PyUnicode_AsUTF8(b) : "";
    const struct Source *part = name == NULL ? NULL : find_source(PARTS, name);
    if (part == NULL) {
        PyErr_SetString(PyExc_ValueError, "unknown part of a function");
        return -1;
    }
    step->read = part->read;
    return 0;
}

static int
compile_reference(Step *step, PyObject *b)
{
    if (!PyWeakref_CheckRefExact(b)) {
        PyErr_SetString(PyExc_TypeError, "what is held is held by a weak reference");
        return -1;
    }
    step->b = Py_NewRef(b);
    return 0;
}

int
read_compile(Step *step, const char *source, PyObject *a, PyObject *b, Py_ssize_t position)
{
    const struct Source *found = find_source(SOURCES, source);
    if (found == NULL) {
        PyErr_Format(PyExc_ValueError, "unknown source '%s' in a step", source);
        return -1;
    }
    step->read = found->read;
    step->a = -1;
    if (found->read == read_global && PyDict_CheckExact(a)) {
        step->mapping = Py_NewRef(a);
    }
    else if (found->read == read_held || (found->read == read_global && a == Py_None)) {
        step->a = -1;
    }
    else if (compile_base(step, found == SOURCES, a, position) < 0) {
        return -1;
    }
    switch (found->operand) {
    case NAME:
        return compile_name(step, b);
    case KEY:
        return compile_key(step, b);
    case PART:
        return compile_part(step, b);
    case REFERENCE:
        return compile_reference(step, b);
    case NOTHING:
        break;
    }
    return 0;
}
