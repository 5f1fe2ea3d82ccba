/* Tally: reports the stacks that a look meets, with the time since the last look.

   It calls `tally(frames, seconds)` once for each thread; `frames` is a list of (code, byte
   offset), innermost first. There is a callback only if a report was asked for
   (programs/accounts.py).
   Invariant: all stacks are read before the callback is called; see sampler.c. */
#include "sampler.h"

#include <time.h>

enum {
    MOST_FRAMES = 48, /* frames of one stack */
    MOST_ENTRIES = 512, /* frames of all stacks of one look, and an end for each stack */
};

typedef struct {
    PyCodeObject *code; /* owned; NULL ends a stack */
    int offset;
} SeenFrame;

static struct {
    PyObject *callback;
    SeenFrame entries[MOST_ENTRIES];
    int count;
    double last; /* seconds */
} tally;

static double
now(void)
{
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec + (double)time.tv_nsec * 1e-9;
}

void
tally_use(PyObject *callback)
{
    Py_XSETREF(tally.callback, callback == Py_None ? NULL : Py_NewRef(callback));
    tally.last = now();
}

void
tally_restart(void)
{
    if (tally.callback != NULL) {
        tally.last = now();
    }
}

bool
tally_wanted(void)
{
    return tally.callback != NULL;
}

void
tally_read_thread(PyThreadState *ts)
{
    if (tally.count == MOST_ENTRIES) {
        return;
    }
    Frame *frame = frame_current(ts);
    for (int depth = 0; frame != NULL && depth < MOST_FRAMES; frame = frame->previous) {
        if (tally.count >= MOST_ENTRIES - 1) {
            break;
        }
        if (frame_is_running(frame)) {
            SeenFrame *entry = &tally.entries[tally.count++];
            entry->code = (PyCodeObject *)Py_NewRef((PyObject *)frame_code(frame));
            entry->offset = _PyInterpreterFrame_LASTI(frame) * (int)sizeof(_Py_CODEUNIT);
            depth++;
        }
    }
    tally.entries[tally.count++] = (SeenFrame){NULL, 0};
}

/* The stack that begins at `index` as a list; moves `index` to the next stack. */
static PyObject *
next_stack(int *index)
{
    PyObject *stack = PyList_New(0);
    for (; tally.entries[*index].code != NULL; ++*index) {
        SeenFrame *entry = &tally.entries[*index];
        PyObject *pair = stack == NULL ? NULL : Py_BuildValue("Oi", entry->code, entry->offset);
        if (pair == NULL || PyList_Append(stack, pair) < 0) {
            Py_CLEAR(stack);
        }
        Py_XDECREF(pair);
        Py_CLEAR(entry->code);
        if (stack == NULL) {
            PyErr_Clear();
        }
    }
    ++*index;
    return stack;
}

void
tally_tell(void)
{
    double since = now() - tally.last;
    for (int index = 0; index < tally.count;) {
        PyObject *error = take_error();
        PyObject *stack = next_stack(&index);
        if (error != NULL) {
            give_error(error);
        }
        else if (stack != NULL) {
            Py_XDECREF(PyObject_CallFunction(tally.callback, "Od", stack, since));
        }
        Py_XDECREF(stack);
    }
    tally.count = 0;
}
