/* Templates: which registers are in the arguments of a call, or in what a program returns.

   dyntrace/exec/lower/templates.py writes them, and calls.c builds values from them. Invariant: a template
   whose registers have been told is well-formed, so that building it looks at nothing again. */
#include "vm/vm.h"

#include <stdlib.h>

static int
fail(const char *text)
{
    if (!PyErr_Occurred()) {
        PyErr_Format(PyExc_ValueError, "a program's description is wrong: %s", text);
    }
    return -1;
}

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
        return fail("a register that is not there");
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
        return fail("a template that is nothing");
    }
    Py_ssize_t length = PyTuple_GET_SIZE(items);
    if (code == TEMPLATE_SLICE && length != 3) {
        return fail("a slice has three parts");
    }
    if (code == TEMPLATE_DICT) {
        PyObject *keys = size > 3 ? PyTuple_GET_ITEM(template, 3) : Py_None;
        if (!PyTuple_Check(keys) || PyTuple_GET_SIZE(keys) != length) {
            return fail("a dict has a key for each item");
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
        return fail("a template that is nothing");
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
