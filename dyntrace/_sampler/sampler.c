/* The sampler: a look reads the frames of all threads and finds the code that time is spent in.

   A look asks `candidate(code, globals)` once about each code object it meets; if the answer is not
   True, the code is FOREIGN. It counts the innermost CREDITED candidates of each thread's stack,
   since time in NumPy and the standard library belongs to the caller. Code that enough looks have
   counted is warm: `warm(code, function, globals, values)` gets it with the values of its frame and
   answers True (taken), False (leave it alone for good) or None (count it again).
   Invariants: a look runs no code of the user's. It reads all frames before it asks anything, and
   releases the GIL nowhere in between: once Python code runs, the frames may be gone. */
#include "sampler.h"

enum {
    CREDITED = 3,  /* candidates of one stack that a look counts */
    DEEPEST = 100, /* frames of one stack that a look reads */
    MOST_MET = 32, /* code objects that a look asks about */
};

PyObject *sampler_candidate, *sampler_warm;
unsigned sampler_samples = 3;
static bool found_news;

/* Code to ask about, taken from a frame; all references are owned. */
typedef struct {
    PyCodeObject *code;
    PyObject *globals, *function;
    PyObject **values; /* for `warm`; NULL: ask `candidate` */
    int count;
} Met;

static struct {
    Met items[MOST_MET];
    int count;
} met;

/* The values in the slots of a frame, as a dict by index. */
static PyObject *
dict_of_values(PyObject *const *slots, int count)
{
    PyObject *values = PyDict_New();
    for (int index = 0; values != NULL && index < count; index++) {
        PyObject *key = slots[index] == NULL ? NULL : PyLong_FromLong(index);
        if (slots[index] == NULL) {
            continue;
        }
        if (key == NULL || PyDict_SetItem(values, key, slots[index]) < 0) {
            Py_CLEAR(values);
        }
        Py_XDECREF(key);
    }
    return values;
}

PyObject *
sampler_frame_values(Frame *frame)
{
    return dict_of_values(frame->localsplus, frame_code(frame)->co_nlocalsplus);
}

/* Reading frames ---------------------------------------------------------------------------- */

static bool
is_numpys(PyObject *value)
{
    return strncmp(Py_TYPE(value)->tp_name, "numpy.", 6) == 0;
}

static PyObject **
copied_values(Frame *frame, bool own_thread)
{
    int count = frame_code(frame)->co_nlocalsplus;
    PyObject **values = PyMem_Calloc((size_t)count + 1, sizeof(PyObject *));
    for (int index = 0; values != NULL && index < count; index++) {
        PyObject *value = frame->localsplus[index];
        if (value != NULL && own_thread) {
            values[index] = Py_NewRef(value);
        }
        else if (value != NULL && is_numpys(value)) {
            /* Only the class: its thread may go on, and `x.resize` needs the one reference. */
            values[index] = Py_NewRef((PyObject *)Py_TYPE(value));
        }
    }
    return values;
}

static Met *
add_met(Frame *frame)
{
    if (met.count == MOST_MET) {
        return NULL;
    }
    Met *item = &met.items[met.count++];
    *item = (Met){.code = (PyCodeObject *)Py_NewRef((PyObject *)frame_code(frame)),
                  .globals = Py_NewRef(frame_globals(frame)),
                  .function = Py_NewRef(*frame_function(frame))};
    return item;
}

/* True if the frame's code is a candidate. */
static bool
read_frame(Frame *frame, bool own_thread, bool counts)
{
    PyCodeObject *code = frame_code(frame);
    Record *record = records_make(code);
    if (record == NULL) {
        return false;
    }
    if (record->standing == UNSEEN) {
        if (add_met(frame) != NULL) {
            record->standing = FOREIGN; /* until `candidate` has answered */
            found_news = true;
        }
        return false;
    }
    if (record->standing == CANDIDATE && counts && ++record->samples >= sampler_samples) {
        PyObject **values = copied_values(frame, own_thread);
        Met *item = values == NULL ? NULL : add_met(frame);
        if (item == NULL) {
            PyMem_Free(values);
            return true;
        }
        item->values = values;
        item->count = code->co_nlocalsplus;
        record->standing = JUDGED;
        found_news = true;
    }
    return record->standing != FOREIGN;
}

bool
sampler_take_news(void)
{
    bool news = found_news;
    found_news = false;
    return news;
}

void
sampler_read_thread(PyThreadState *ts, bool own_thread, bool counts)
{
    int credited = 0, depth = 0;
    for (Frame *frame = frame_current(ts); frame != NULL; frame = frame->previous) {
        if (credited == CREDITED || depth++ == DEEPEST) {
            break;
        }
        if (frame_is_running(frame)) {
            credited += read_frame(frame, own_thread, counts);
        }
    }
}

/* Asking ------------------------------------------------------------------------------------ */
static Standing
ask_candidate(Met *item)
{
    PyObject *answer = PyObject_CallFunctionObjArgs(sampler_candidate, (PyObject *)item->code,
                                                    item->globals, NULL);
    Py_XDECREF(answer);
    return answer == NULL ? UNSEEN : answer == Py_True ? CANDIDATE : FOREIGN;
}

static Standing
ask_warm(Met *item)
{
    PyObject *values = dict_of_values(item->values, item->count);
    if (values == NULL) {
        return CANDIDATE;
    }
    PyObject *answer = PyObject_CallFunctionObjArgs(
        sampler_warm, (PyObject *)item->code, item->function, item->globals, values, NULL);
    Py_XDECREF(answer);
    Py_DECREF(values);
    return answer == Py_True ? JUDGED : answer == Py_False ? FOREIGN : CANDIDATE;
}

static void
drop_met(Met *item)
{
    for (int index = 0; item->values != NULL && index < item->count; index++) {
        Py_XDECREF(item->values[index]);
    }
    PyMem_Free(item->values);
    Py_DECREF(item->code);
    Py_DECREF(item->globals);
    Py_DECREF(item->function);
}

/* Asks `candidate` or `warm` about all code in `met`. If an exception of the program's arrives (a
   signal handler raised), the rest stays as it was and later looks meet it again. */
void
sampler_ask_about_met(void)
{
    for (int index = 0; index < met.count; index++) {
        Met *item = &met.items[index];
        bool fails = PyErr_Occurred() != NULL;
        Standing standing = item->values != NULL ? CANDIDATE : UNSEEN;
        if (!fails) {
            standing = item->values != NULL ? ask_warm(item) : ask_candidate(item);
        }
        Record *record = records_find(item->code);
        if (record != NULL) {
            record->standing = standing;
            record->samples = 0;
        }
    }
    PyObject *error = take_error();
    while (met.count > 0) {
        drop_met(&met.items[--met.count]);
    }
    if (error != NULL) {
        give_error(error);
    }
}
