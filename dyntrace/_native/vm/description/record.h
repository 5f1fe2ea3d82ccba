/* Records: the tuples of a program's description, whose fields are read by name.

   Each row of vm/instructions.def becomes a structure with one byte for each field. The program
   makes no such structure: the offset of a member is the index of the field in the tuple, and the
   size of the structure is the number of fields. Invariant: FIELD reads only tuples that a function
   below has accepted. */
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
/* Whether the source is a tuple with as many fields as the row; false with an exception. */
#define IS_RECORD(record, source) record_is(source, #record, FIELD_COUNT(record))
#define CODE_OF(record) PyLong_AsLong(PyTuple_GET_ITEM(record, 0)) /* of a row with a code */

bool record_is(PyObject *source, const char *name, Py_ssize_t fields);

/* The code of a record, whose number of fields is that of the code's row; -1 with an exception. */
int record_instruction(PyObject *source);
int record_step(PyObject *source);
int record_item(PyObject *source);
int record_template(PyObject *source);

/* Read a field; -1 with an exception. */
int record_int(PyObject *field, int least, int most, int *number);
int record_size(PyObject *field, Py_ssize_t *number); /* not negative */
int record_flag(PyObject *field, bool *flag);
int record_tuple(PyObject *field, const char *what);
int record_register(PyObject *field, int register_count, short *reg);
/* Returns the number of registers. */
int record_registers(PyObject *field, int register_count, short *regs, int most);

#endif
