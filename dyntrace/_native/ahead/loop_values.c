/* The codes of a loop's inputs and outputs: which object, and how many words it takes.

   Invariant: a code that is not known is refused when the program is made. Read loop_inputs.c for
   words from objects, loop_outputs.c for objects from words. */
#include "ahead/loop_values.h"

#include <limits.h>
#include <stdlib.h>

/* What follows the letter. */
typedef enum {
    NO_FIELD,
    DTYPE_FIELD,
    ARRAY_FIELDS, /* a dtype, the number of axes */
    INNER_FIELD,  /* the code of an iterator */
    INDEX_FIELD,  /* a decimal number */
    INNER_FIELDS, /* a digit, and as many codes of iterators */
} LoopFields;

typedef struct {
    char letter;
    LoopKind kind;
    LoopFields fields;
    int words; /* without those of an array, a scalar or inner iterators */
} LetterOfLoop;

enum { MOST_DEEP = 8 }; /* iterators in iterators */

static const LetterOfLoop letters[] = {
    {'i', LOOP_INT, NO_FIELD, 1},
    {'f', LOOP_FLOAT, NO_FIELD, 1},
    {'b', LOOP_BOOL, NO_FIELD, 1},
    {'c', LOOP_COMPLEX, NO_FIELD, 2},
    {'s', LOOP_SCALAR, DTYPE_FIELD, 0},
    {'a', LOOP_ARRAY, ARRAY_FIELDS, 0},
    {'r', LOOP_RANGE_ITERATOR, NO_FIELD, 3},
    {'q', LOOP_ARRAY_ITERATOR, ARRAY_FIELDS, 1},
    {'y', LOOP_BYTES_ITERATOR, NO_FIELD, 3},
    {'e', LOOP_ENUMERATE, INNER_FIELD, 1},
    {'z', LOOP_ZIP, INNER_FIELDS, 0},
    {'m', LOOP_LIST_ITERATOR, NO_FIELD, 3},
    {'u', LOOP_TUPLE_ITERATOR, NO_FIELD, 3},
    {'l', LOOP_LIST, NO_FIELD, 2},
    {'t', LOOP_TUPLE, NO_FIELD, 2},
    {'B', LOOP_BYTES, NO_FIELD, 2},
    {'-', LOOP_GUARDED, NO_FIELD, 0},
    {'o', LOOP_SAME, NO_FIELD, 1},
    {'n', LOOP_NONE, NO_FIELD, 0},
    {'@', LOOP_INPUT, INDEX_FIELD, 0},
    {'=', LOOP_OUTPUT, INDEX_FIELD, 0},
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

static const char *parse(LoopValue *value, const char *text, int depth);

static bool
is_iterator(const LoopValue *value)
{
    switch (value->kind) {
    case LOOP_RANGE_ITERATOR:
    case LOOP_ARRAY_ITERATOR:
    case LOOP_BYTES_ITERATOR:
    case LOOP_LIST_ITERATOR:
    case LOOP_TUPLE_ITERATOR:
    case LOOP_ENUMERATE:
    case LOOP_ZIP:
        return true;
    case LOOP_INT:
    case LOOP_FLOAT:
    case LOOP_BOOL:
    case LOOP_COMPLEX:
    case LOOP_SCALAR:
    case LOOP_ARRAY:
    case LOOP_LIST:
    case LOOP_TUPLE:
    case LOOP_BYTES:
    case LOOP_GUARDED:
    case LOOP_SAME:
    case LOOP_NONE:
    case LOOP_INPUT:
    case LOOP_OUTPUT:
        break;
    }
    return false;
}

/* A digit from 1 to 9; 0 if there is none. */
static int
digit_of(char letter)
{
    return letter >= '1' && letter <= '9' ? letter - '0' : 0;
}

static const char *
parse_dtype(LoopValue *value, const char *text)
{
    if (*text == '\0' || strchr(dtypes, *text) == NULL) {
        return NULL;
    }
    value->descr = PyArray_DescrFromType(*text);
    return value->descr == NULL ? NULL : text + 1;
}

static const char *
parse_array(LoopValue *value, const char *text)
{
    text = parse_dtype(value, text);
    if (text == NULL || (*text != '0' && digit_of(*text) == 0)) {
        return NULL;
    }
    value->ndim = *text - '0';
    value->words += 2 + 2 * value->ndim;
    return text + 1;
}

static const char *
parse_index(LoopValue *value, const char *text)
{
    char *end = NULL;
    unsigned long index = *text < '0' || *text > '9' ? INT_MAX : strtoul(text, &end, 10);
    if (index >= INT_MAX) {
        return NULL;
    }
    value->index = (int)index;
    return end;
}

static const char *
parse_inners(LoopValue *value, const char *text, int count, int depth)
{
    value->inners = count == 0 || depth == MOST_DEEP ? NULL : PyMem_New(LoopValue, count);
    if (value->inners == NULL) {
        return NULL;
    }
    for (int i = 0; i < count; i++) {
        LoopValue *inner = &value->inners[i];
        text = parse(inner, text, depth + 1);
        value->inner_count++;
        if (text == NULL || !is_iterator(inner)) {
            return NULL;
        }
        value->words += inner->words;
    }
    return text;
}

/* What follows the code of one value; NULL, maybe without an exception, if it is not known. */
static const char *
parse(LoopValue *value, const char *text, int depth)
{
    const LetterOfLoop *known = find(*text);
    *value = (LoopValue){.kind = LOOP_GUARDED};
    if (known == NULL) {
        return NULL;
    }
    value->kind = known->kind;
    value->words = known->words;
    text++;
    switch (known->fields) {
    case NO_FIELD:
        break;
    case DTYPE_FIELD:
        text = parse_dtype(value, text);
        value->words += text == NULL ? 0 : (int)(PyDataType_ELSIZE(value->descr) + 7) / 8;
        break;
    case ARRAY_FIELDS:
        return parse_array(value, text);
    case INDEX_FIELD:
        return parse_index(value, text);
    case INNER_FIELD:
        return parse_inners(value, text, 1, depth);
    case INNER_FIELDS:
        return parse_inners(value, text + 1, digit_of(*text), depth);
    }
    return text;
}

int
loop_value_parse(LoopValue *value, PyObject *code)
{
    const char *text = PyUnicode_Check(code) ? PyUnicode_AsUTF8(code) : "";
    *value = (LoopValue){.kind = LOOP_GUARDED};
    const char *end = text == NULL ? NULL : parse(value, text, 0);
    if (end != NULL && *end == '\0') {
        return 0;
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
    for (int i = 0; i < value->inner_count; i++) {
        loop_value_clear(&value->inners[i]);
    }
    PyMem_Free(value->inners);
    value->inners = NULL;
    value->inner_count = 0;
    Py_CLEAR(value->descr);
}
