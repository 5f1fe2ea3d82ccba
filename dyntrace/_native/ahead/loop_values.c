/* The codes of a loop's inputs and outputs: which object, and how many words it takes.

   Invariant: a code that is not known is refused when the program is made. Read loop_inputs.c for
   words from objects, loop_outputs.c for objects from words. */
#include "ahead/loop_values.h"

/* Fields that follow the letter: none, a dtype, or a dtype and the number of axes. */
typedef struct {
    char letter;
    LoopKind kind;
    int fields;
    int words; /* without those of an array or a scalar */
} LetterOfLoop;

static const LetterOfLoop letters[] = {
    {'i', LOOP_INT, 0, 1},
    {'f', LOOP_FLOAT, 0, 1},
    {'b', LOOP_BOOL, 0, 1},
    {'c', LOOP_COMPLEX, 0, 2},
    {'s', LOOP_SCALAR, 1, 0},
    {'a', LOOP_ARRAY, 2, 0},
    {'r', LOOP_RANGE_ITERATOR, 0, 3},
    {'q', LOOP_ARRAY_ITERATOR, 2, 1},
    {'y', LOOP_BYTES_ITERATOR, 0, 3},
    {'B', LOOP_BYTES, 0, 2},
    {'-', LOOP_GUARDED, 0, 0},
    {'o', LOOP_SAME, 0, 1},
    {'n', LOOP_NONE, 0, 0},
};

static const char dtypes[] = "?bBhHiIlLqQefdFD";

static const LetterOfLoop *
find(char letter)
{
    for (size_t i = 0; i < sizeof letters / sizeof *letters; i++) {
        if (letters[i].letter == letter) {
            return &letters[i];
        }
    }
    return NULL;
}

/* Reads the dtype and the number of axes behind the letter. */
static bool
parse_fields(LoopValue *value, const char *fields, int count)
{
    if (strlen(fields) != (size_t)count) {
        return false;
    }
    if (count > 0) {
        value->descr = strchr(dtypes, fields[0]) != NULL ? PyArray_DescrFromType(fields[0]) : NULL;
        if (value->descr == NULL) {
            return false;
        }
        value->words += count == 1 ? (int)(PyDataType_ELSIZE(value->descr) + 7) / 8 : 0;
    }
    if (count > 1) {
        value->ndim = fields[1] - '0';
        value->words += 2 + 2 * value->ndim;
    }
    return count < 2 || (value->ndim >= 0 && value->ndim <= 9);
}

int
loop_value_parse(LoopValue *value, PyObject *code)
{
    const char *text = PyUnicode_Check(code) ? PyUnicode_AsUTF8(code) : "";
    const LetterOfLoop *known = text == NULL ? NULL : find(text[0]);
    *value = (LoopValue){.kind = LOOP_GUARDED};
    if (known != NULL) {
        value->kind = known->kind;
        value->words = known->words;
        if (parse_fields(value, text + 1, known->fields)) {
            return 0;
        }
    }
    loop_value_clear(value);
    if (!PyErr_Occurred()) {
        PyErr_Format(PyExc_ValueError, "a loop has no value of code %R", code);
    }
    return -1;
}

void
loop_value_clear(LoopValue *value)
{
    Py_CLEAR(value->descr);
}
