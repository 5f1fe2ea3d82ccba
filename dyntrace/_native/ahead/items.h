/* The items of lists and tuples, which machine code reads and replaces. */
#ifndef DYNTRACE_AHEAD_ITEMS_H
#define DYNTRACE_AHEAD_ITEMS_H

#include <Python.h>
#include <stdint.h>

/* These return 1, or 0 for trouble, in which case nothing is changed. */
int64_t items_int(PyObject *item, int64_t *value); /* trouble: no exact int, or over 64 bits */

/* Replace an item that is an exact int, float or bool, or None. If `logged` is not zero, the old
   item is kept until the iteration is done. */
int64_t items_set_bool(PyObject **place, int64_t value, int64_t logged);
int64_t items_set_int(PyObject **place, int64_t value, int64_t logged);
int64_t items_set_float(PyObject **place, double value, int64_t logged);

void items_keep(void);      /* the iteration is done: old items are released */
void items_take_back(void); /* the iteration is undone: old items stand where they stood */

#endif
