/* The inputs and outputs of a loop's machine code, which sees objects as 64-bit words. */
#ifndef DYNTRACE_AHEAD_LOOP_VALUES_H
#define DYNTRACE_AHEAD_LOOP_VALUES_H

#include "vm/array/numpy.h"

typedef enum {
    LOOP_INT,            /* "i": its value */
    LOOP_FLOAT,          /* "f": its bits */
    LOOP_BOOL,           /* "b": 0 or 1 */
    LOOP_COMPLEX,        /* "c": the bits of both parts */
    LOOP_SCALAR,         /* "s" dtype: the bytes of a NumPy scalar, filled up with zeros */
    LOOP_ARRAY,          /* "a" dtype ndim: address, writeable, shape, strides */
    LOOP_RANGE_ITERATOR, /* "r": next item, step, items left */
    LOOP_ARRAY_ITERATOR, /* "q" dtype ndim: next index, and the words of the array */
    LOOP_BYTES_ITERATOR, /* "y": next index, address, length */
    LOOP_ENUMERATE,      /* "e" iterator: next number, and the words of the iterator */
    LOOP_ZIP,            /* "z" count iterators: the words of each iterator */
    LOOP_LIST_ITERATOR,  /* "m": next index, and the words of the list */
    LOOP_TUPLE_ITERATOR, /* "u": next index, and the words of the tuple */
    LOOP_LIST,           /* "l": address of the items, length */
    LOOP_TUPLE,          /* "t": address of the items, length */
    LOOP_BYTES,          /* "B": address, length */
    LOOP_GUARDED,        /* "-": no word */
    /* The rest are outputs only. */
    LOOP_SAME,           /* "o": an output that is the input of this index */
    LOOP_NONE,           /* "n": an output without a word */
    LOOP_INPUT,          /* "@" index: an output that is always this input; no word */
    LOOP_OUTPUT,         /* "=" index: the object of this earlier output; no word */
} LoopKind;

typedef struct LoopValue {
    LoopKind kind;
    PyArray_Descr *descr; /* owned; of scalars and arrays */
    int ndim;
    int index;                /* of the input or output that this output is */
    int words;                /* with those of the inner iterators */
    int inner_count;
    struct LoopValue *inners; /* owned: the iterators that this one advances */
} LoopValue;

int loop_value_parse(LoopValue *value, PyObject *code); /* -1 with an exception */
void loop_value_clear(LoopValue *value);

#endif
