/* Records: the tuples of a program's description, read field by field and by name.

   Each row with fields in vm/instructions.def gives a structure of one byte for each field. No such
   structure is ever made: the offset of a member is the place of the field in the tuple, and the size
   is the number of fields. Invariant: FIELD is asked only of what one of the functions has accepted. */
#ifndef DYNTRACE_VM_DESCRIPTION_RECORD_H
#define DYNTRACE_VM_DESCRIPTION_RECORD_H

#define PY_SSIZE_T_CLEAN
#include <Python.h>
#include <stdbool.h>
#include <stddef.h>

#define FIELDS(...) , __VA_ARGS__
#define NO_FIELDS
#define RECORD(name, ...) struct name##_FIELDS { char __VA_ARGS__; };
#define INSTRUCTION(name, least_in, most_in, least_out, most_out, words, fields)                  \
    struct name##_FIELDS { char code, inputs, outputs fields; };
#define STEP(name, fields) struct STEP_##name##_FIELDS { char code fields; };
#define ITEM(name, fields) struct ITEM_##name##_FIELDS { char code fields; };
#define TEMPLATE(name, fields) struct TEMPLATE_##name##_FIELDS { char code fields; };
#include "vm/instructions.def"

#define FIELD(record, name, source) PyTuple_GET_ITEM(source, offsetof(struct record##_FIELDS, name))
#define FIELD_COUNT(record) ((Py_ssize_t)sizeof(struct record##_FIELDS))
/* Whether it is a tuple of as many fields as the row has; false with an exception. */
#define IS_RECORD(record, source) record_is(source, #record, FIELD_COUNT(record))
#define CODE_OF(record) PyLong_AsLong(PyTuple_GET_ITEM(record, 0)) /* of a row with a code */

bool record_is(PyObject *source, const char *name, Py_ssize_t fields);

/* The code of a record that has the fields of the code's row; -1 with an exception. */
int record_instruction(PyObject *source);
int record_step(PyObject *source);
int record_item(PyObject *source);
int record_template(PyObject *source);

/* What a field holds; -1 with an exception. */
int record_int(PyObject *field, int least, int most, int *number);
int record_size(PyObject *field, Py_ssize_t *number); /* not negative */
int record_flag(PyObject *field, bool *flag);
int record_tuple(PyObject *field, const char *what);
int record_register(PyObject *field, int register_count, short *reg);
/* How many there are. */
int record_registers(PyObject *field, int register_count, short *regs, int most);

#endif
