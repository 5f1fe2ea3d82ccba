/* Records: the tuples of a program's description, whose fields are read by name.

   Invariant: an accepted tuple has as many fields as its row in vm/instructions.def. The reader of
   a field checks what the field holds. Read program/parse.c for the readers. */
#include "vm/description/record.h"

#include "vm/description/malformed.h"

typedef struct {
    const char *name;
    Py_ssize_t fields;
} Row;

bool
record_is(PyObject *source, const char *name, Py_ssize_t fields)
{
    if (!PyTuple_Check(source)) {
        if (!PyErr_Occurred()) {
            PyErr_Format(PyExc_ValueError,
                         "a program's description is malformed: %s is a tuple, not %R", name,
                         (PyObject *)Py_TYPE(source));
        }
        return false;
    }
    if (PyTuple_GET_SIZE(source) != fields) {
        if (!PyErr_Occurred()) {
            PyErr_Format(PyExc_ValueError,
                         "a program's description is malformed: %s has %zd fields, not %zd", name,
                         fields, PyTuple_GET_SIZE(source));
        }
        return false;
    }
    return true;
}

static int
coded(PyObject *source, const Row *rows, int count, const char *what)
{
    int code = -1;
    if (!PyTuple_Check(source) || PyTuple_GET_SIZE(source) == 0
        || record_int(PyTuple_GET_ITEM(source, 0), 0, count - 1, &code) < 0) {
        return malformed(what);
    }
    return record_is(source, rows[code].name, rows[code].fields) ? code : -1;
}

#define CODED(rows, what) coded(source, rows, sizeof rows / sizeof *rows, what)

int
record_instruction(PyObject *source)
{
    static const Row rows[] = {
#define INSTRUCTION(name, least_in, most_in, least_out, most_out, words, fields)                  \
    {#name, FIELD_COUNT(name)},
#include "vm/instructions.def"
    };
    return CODED(rows, "an instruction");
}

int
record_step(PyObject *source)
{
    static const Row rows[] = {
#define STEP(name, fields) {"STEP " #name, FIELD_COUNT(STEP_##name)},
#include "vm/instructions.def"
    };
    return CODED(rows, "a step");
}

int
record_item(PyObject *source)
{
    static const Row rows[] = {
#define ITEM(name, fields) {"ITEM " #name, FIELD_COUNT(ITEM_##name)},
#include "vm/instructions.def"
    };
    return CODED(rows, "an item");
}

int
record_template(PyObject *source)
{
    static const Row rows[] = {
#define TEMPLATE(name, fields) {"TEMPLATE " #name, FIELD_COUNT(TEMPLATE_##name)},
#include "vm/instructions.def"
    };
    return CODED(rows, "a template");
}

/* Fields ------------------------------------------------------------------------------------ */
int
record_int(PyObject *field, int least, int most, int *number)
{
    long value = PyLong_Check(field) ? PyLong_AsLong(field) : (long)least - 1;
    if (value < least || value > most) {
        return malformed("a number that is too large, too small, or none");
    }
    *number = (int)value;
    return 0;
}

int
record_size(PyObject *field, Py_ssize_t *number)
{
    *number = PyLong_Check(field) ? PyLong_AsSsize_t(field) : -1;
    return *number < 0 ? malformed("a size") : 0;
}

int
record_flag(PyObject *field, bool *flag)
{
    *flag = field == Py_True;
    return PyBool_Check(field) ? 0 : malformed("a flag is True or False");
}

int
record_tuple(PyObject *field, const char *what)
{
    return PyTuple_Check(field) ? 0 : malformed(what);
}

int
record_register(PyObject *field, int register_count, short *reg)
{
    long value = PyLong_Check(field) ? PyLong_AsLong(field) : -1;
    if (value < 0 || value >= register_count) {
        return malformed("a register that is not there");
    }
    *reg = (short)value;
    return 0;
}

int
record_registers(PyObject *field, int register_count, short *regs, int most)
{
    if (!PyTuple_Check(field) || PyTuple_GET_SIZE(field) > most) {
        return malformed("a tuple of registers");
    }
    for (Py_ssize_t i = 0; i < PyTuple_GET_SIZE(field); i++) {
        if (record_register(PyTuple_GET_ITEM(field, i), register_count, &regs[i]) < 0) {
            return -1;
        }
    }
    return (int)PyTuple_GET_SIZE(field);
}
