/* The items of lists and tuples, which machine code reads and replaces.

   Invariant: items that are replaced are numbers or None, so that nothing runs when they are
   released. A list keeps its length, so places in it stay valid. The process has one log, as there
   is one run of machine code at a time; it is empty between two iterations. Read undo.h for stores
   into memory that holds no objects. */
#include "ahead/items.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdlib.h>

static_assert(offsetof(PyObject, ob_type) == 8 && offsetof(PyFloatObject, ob_fval) == 16,
              "machine code reads floats itself");

typedef struct {
    PyObject **place;
    PyObject *old; /* owned */
} ReplacedItem;

enum { MOST_REPLACED = 1 << 18 };

static ReplacedItem *replaced;
static Py_ssize_t replaced_count;

int64_t
items_int(PyObject *item, int64_t *value)
{
    int overflow = 1;
    if (PyLong_CheckExact(item)) {
        *value = PyLong_AsLongLongAndOverflow(item, &overflow);
    }
    return overflow == 0;
}

static bool
is_plain(PyObject *item)
{
    return PyBool_Check(item) || PyLong_CheckExact(item) || PyFloat_CheckExact(item)
           || item == Py_None;
}

static bool
has_room(void)
{
    if (replaced == NULL) {
        replaced = malloc(MOST_REPLACED * sizeof *replaced);
    }
    return replaced != NULL && replaced_count < MOST_REPLACED;
}

/* Takes the reference to `item`, which is NULL if there was no memory for it. */
static int64_t
replace(PyObject **place, PyObject *item, int64_t logged)
{
    PyObject *old = *place;
    if (item == NULL) {
        PyErr_Clear();
        return 0;
    }
    if (!is_plain(old) || (logged && !has_room())) {
        Py_DECREF(item);
        return 0;
    }
    *place = item;
    if (logged) {
        replaced[replaced_count++] = (ReplacedItem){place, old};
    }
    else {
        Py_DECREF(old);
    }
    return 1;
}

int64_t
items_set_bool(PyObject **place, int64_t value, int64_t logged)
{
    return replace(place, Py_NewRef(value ? Py_True : Py_False), logged);
}

int64_t
items_set_int(PyObject **place, int64_t value, int64_t logged)
{
    return replace(place, PyLong_FromLongLong(value), logged);
}

int64_t
items_set_float(PyObject **place, double value, int64_t logged)
{
    return replace(place, PyFloat_FromDouble(value), logged);
}

void
items_keep(void)
{
    while (replaced_count > 0) {
        Py_DECREF(replaced[--replaced_count].old);
    }
}

void
items_take_back(void)
{
    while (replaced_count > 0) {
        const ReplacedItem *newest = &replaced[--replaced_count];
        PyObject *item = *newest->place;
        *newest->place = newest->old;
        Py_DECREF(item);
    }
}
