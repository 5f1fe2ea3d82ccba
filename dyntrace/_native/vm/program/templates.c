/* Templates: arguments of a call or outputs of a program; lists their registers, and builds
   objects.

   dyntrace/exec/lower/templates.py writes them. Invariant: templates_registers has checked each
   template, so template_build checks nothing. Read vm/calls.c and vm/machine.c for who builds. */
#include "vm/program/templates.h"

#include <stdlib.h>

#include "vm/description/malformed.h"
#include "vm/description/record.h"

/* The items of a container. `number` is None unless the container occurs more than once. */
static PyObject *
container_items(PyObject *template, TemplateCode code, PyObject **number)
{
    switch (code) {
    case TEMPLATE_TUPLE:
        *number = FIELD(TEMPLATE_TUPLE, number, template);
        return FIELD(TEMPLATE_TUPLE, items, template);
    case TEMPLATE_LIST:
        *number = FIELD(TEMPLATE_LIST, number, template);
        return FIELD(TEMPLATE_LIST, items, template);
    case TEMPLATE_DICT:
        *number = FIELD(TEMPLATE_DICT, number, template);
        return FIELD(TEMPLATE_DICT, items, template);
    case TEMPLATE_SLICE:
        *number = FIELD(TEMPLATE_SLICE, number, template);
        return FIELD(TEMPLATE_SLICE, items, template);
    case TEMPLATE_REGISTER:
    case TEMPLATE_CONSTANT:
        break;
    }
    *number = Py_None;
    return NULL;
}

/* Registers --------------------------------------------------------------------------------- */
typedef struct {
    int register_count;
    short *regs; /* NULL: only count */
    int count;
} Found;

static int
find_register(Found *found, PyObject *number)
{
    short reg;
    if (record_register(number, found->register_count, &reg) < 0) {
        return -1;
    }
    if (found->regs != NULL) {
        found->regs[found->count] = reg;
    }
    found->count++;
    return 0;
}

/* Whether a dict has a key for each item, and a slice has three items. */
static bool
has_length(PyObject *template, TemplateCode code, PyObject *items)
{
    if (!PyTuple_Check(items)) {
        return false;
    }
    if (code == TEMPLATE_DICT) {
        PyObject *keys = FIELD(TEMPLATE_DICT, keys, template);
        return PyTuple_Check(keys) && PyTuple_GET_SIZE(keys) == PyTuple_GET_SIZE(items);
    }
    return code != TEMPLATE_SLICE || PyTuple_GET_SIZE(items) == 3;
}

static int find_all(Found *found, PyObject *templates);

static int
find_in_container(Found *found, PyObject *template, TemplateCode code)
{
    PyObject *number, *items = container_items(template, code, &number);
    if (!has_length(template, code, items)) {
        return malformed("the items of a template");
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
    int code = record_template(template);
    if (code < 0) {
        return -1;
    }
    if (code == TEMPLATE_REGISTER) {
        return find_register(found, FIELD(TEMPLATE_REGISTER, reg, template));
    }
    return code == TEMPLATE_CONSTANT ? 0
                                     : find_in_container(found, template, (TemplateCode)code);
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

/* Building ---------------------------------------------------------------------------------- */
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
build_container(PyObject *template, PyObject *items, PyObject **objects, PyObject *known,
                TemplateCode code)
{
    switch (code) {
    case TEMPLATE_TUPLE:
    case TEMPLATE_LIST:
        return build_items(items, objects, known, code == TEMPLATE_LIST);
    case TEMPLATE_DICT:
        return build_dict(items, FIELD(TEMPLATE_DICT, keys, template), objects, known);
    case TEMPLATE_SLICE:
        return build_slice(items, objects, known);
    case TEMPLATE_REGISTER:
    case TEMPLATE_CONSTANT:
        break;
    }
    malformed("a container that is none");
    return NULL;
}

PyObject *
template_build(PyObject *template, PyObject **objects, PyObject *known)
{
    TemplateCode code = (TemplateCode)CODE_OF(template);
    if (code == TEMPLATE_REGISTER) {
        return Py_NewRef(objects[PyLong_AsLong(FIELD(TEMPLATE_REGISTER, reg, template))]);
    }
    if (code == TEMPLATE_CONSTANT) {
        return Py_NewRef(FIELD(TEMPLATE_CONSTANT, value, template));
    }
    PyObject *number, *items = container_items(template, code, &number);
    bool shared = number != Py_None && known != NULL;
    PyObject *made = shared ? PyDict_GetItemWithError(known, number) : NULL;
    if (made != NULL) {
        return Py_NewRef(made);
    }
    made = PyErr_Occurred() ? NULL : build_container(template, items, objects, known, code);
    if (made != NULL && shared && PyDict_SetItem(known, number, made) < 0) {
        Py_CLEAR(made);
    }
    return made;
}
