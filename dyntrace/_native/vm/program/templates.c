/* Templates: which registers are in the arguments of a call, or in what a program returns.

   dyntrace/exec/lower/templates.py writes them, and calls.c builds values from them. Invariant: a template
   whose registers have been told is well-formed, so that building it looks at nothing again. */
#include "vm/program/templates.h"

#include <stdlib.h>

#include "vm/program/malformed.h"

typedef struct {
    int register_count;
    short *regs; /* NULL: they are only counted */
    int count;
} Found;

static int
find_register(Found *found, PyObject *number)
{
    long reg = PyLong_Check(number) ? PyLong_AsLong(number) : -1;
    if (reg < 0 || reg >= found->register_count) {
        return malformed("a register that is not there");
    }
    if (found->regs != NULL) {
        found->regs[found->count] = (short)reg;
    }
    found->count++;
    return 0;
}

static int find_all(Found *found, PyObject *templates);

static int
find_in_container(Found *found, PyObject *template, long code)
{
    Py_ssize_t size = PyTuple_GET_SIZE(template);
    PyObject *items = PyTuple_GET_ITEM(template, 1);
    if (size < 3 || code < TEMPLATE_TUPLE || code > TEMPLATE_SLICE || !PyTuple_Check(items)) {
        return malformed("a template that is nothing");
    }
    Py_ssize_t length = PyTuple_GET_SIZE(items);
    if (code == TEMPLATE_SLICE && length != 3) {
        return malformed("a slice has three parts");
    }
    if (code == TEMPLATE_DICT) {
        PyObject *keys = size > 3 ? PyTuple_GET_ITEM(template, 3) : Py_None;
        if (!PyTuple_Check(keys) || PyTuple_GET_SIZE(keys) != length) {
            return malformed("a dict has a key for each item");
        }
    }
    if (Py_EnterRecursiveCall(" in a program's template")) {
        return -1;
    }
    int status = find_all(found, items);
    Py_LeaveRecursiveCall();
    return status;
}

static int
find_in(Found *found, PyObject *template)
{
    if (!PyTuple_Check(template) || PyTuple_GET_SIZE(template) < 2
        || !PyLong_Check(PyTuple_GET_ITEM(template, 0))) {
        return malformed("a template that is nothing");
    }
    long code = PyLong_AsLong(PyTuple_GET_ITEM(template, 0));
    if (code == TEMPLATE_REGISTER) {
        return find_register(found, PyTuple_GET_ITEM(template, 1));
    }
    return code == TEMPLATE_CONSTANT ? 0 : find_in_container(found, template, code);
}

static int
find_all(Found *found, PyObject *templates)
{
    for (Py_ssize_t i = 0; i < PyTuple_GET_SIZE(templates); i++) {
        if (find_in(found, PyTuple_GET_ITEM(templates, i)) < 0) {
            return -1;
        }
    }
    return 0;
}

/* The registers in a tuple of templates; their number, or -1 with an exception. */
int
templates_registers(PyObject *templates, int register_count, short **regs)
{
    Found found = {.register_count = register_count};
    *regs = NULL;
    if (find_all(&found, templates) < 0) {
        return -1;
    }
    *regs = found.regs = calloc((size_t)found.count + 1, sizeof *found.regs);
    found.count = 0;
    if (found.regs == NULL) {
        PyErr_NoMemory();
        return -1;
    }
    return find_all(&found, templates) < 0 ? -1 : found.count;
}

/* Building --------------------------------------------------------------------------------- */
static PyObject *
build_items(PyObject *items, PyObject **objects, PyObject *known, bool list)
{
    Py_ssize_t count = PyTuple_GET_SIZE(items);
    PyObject *made = list ? PyList_New(count) : PyTuple_New(count);
    for (Py_ssize_t i = 0; i < count && made != NULL; i++) {
        PyObject *item = template_build(PyTuple_GET_ITEM(items, i), objects, known);
        if (item == NULL) {
            Py_CLEAR(made);
        }
        else if (list) {
            PyList_SET_ITEM(made, i, item);
        }
        else {
            PyTuple_SET_ITEM(made, i, item);
        }
    }
    return made;
}

static PyObject *
build_dict(PyObject *items, PyObject *keys, PyObject **objects, PyObject *known)
{
    PyObject *made = PyDict_New();
    for (Py_ssize_t i = 0; i < PyTuple_GET_SIZE(items) && made != NULL; i++) {
        PyObject *item = template_build(PyTuple_GET_ITEM(items, i), objects, known);
        if (item == NULL || PyDict_SetItem(made, PyTuple_GET_ITEM(keys, i), item) < 0) {
            Py_CLEAR(made);
        }
        Py_XDECREF(item);
    }
    return made;
}

static PyObject *
build_slice(PyObject *items, PyObject **objects, PyObject *known)
{
    PyObject *parts = build_items(items, objects, known, false);
    if (parts == NULL) {
        return NULL;
    }
    PyObject *made = PySlice_New(PyTuple_GET_ITEM(parts, 0), PyTuple_GET_ITEM(parts, 1),
                                 PyTuple_GET_ITEM(parts, 2));
    Py_DECREF(parts);
    return made;
}

static PyObject *
build_container(PyObject *template, PyObject **objects, PyObject *known, long code)
{
    PyObject *items = PyTuple_GET_ITEM(template, 1);
    switch (code) {
    case TEMPLATE_TUPLE:
    case TEMPLATE_LIST:
        return build_items(items, objects, known, code == TEMPLATE_LIST);
    case TEMPLATE_DICT:
        return build_dict(items, PyTuple_GET_ITEM(template, 3), objects, known);
    default:
        return build_slice(items, objects, known);
    }
}

/* (code, register, constant, or items; number or None; keys) */
PyObject *
template_build(PyObject *template, PyObject **objects, PyObject *known)
{
    long code = PyLong_AsLong(PyTuple_GET_ITEM(template, 0));
    PyObject *second = PyTuple_GET_ITEM(template, 1);
    if (code == TEMPLATE_REGISTER) {
        return Py_NewRef(objects[PyLong_AsLong(second)]);
    }
    if (code == TEMPLATE_CONSTANT) {
        return Py_NewRef(second);
    }
    PyObject *number = PyTuple_GET_ITEM(template, 2);
    bool shared = number != Py_None && known != NULL;
    PyObject *made = shared ? PyDict_GetItemWithError(known, number) : NULL;
    if (made != NULL) {
        return Py_NewRef(made);
    }
    made = PyErr_Occurred() ? NULL : build_container(template, objects, known, code);
    if (made != NULL && shared && PyDict_SetItem(known, number, made) < 0) {
        Py_CLEAR(made);
    }
    return made;
}
