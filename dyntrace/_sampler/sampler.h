/* The parts of dyntrace._sampler: a thread looks at the program's frames, and frames are moved.

   ticker.c asks for a look, sampler.c reads the frames and asks `candidate` and `warm`, records.c
   keeps what is known of each code object, move.c and reach.c move frames, tally.c counts time.
   Invariant: nothing here needs NumPy; without this module programs run as they are. */
#ifndef DYNTRACE_SAMPLER_H
#define DYNTRACE_SAMPLER_H

#include "cpython/frame_layout.h"
#include "cpython/errors.h"
#include "cpython/signals.h"

/* What the looks do with a code object. */
typedef enum {
    UNSEEN,    /* no look has met it yet */
    FOREIGN,   /* it is left alone for good */
    CANDIDATE, /* looks count it */
    JUDGED,    /* it was handed to `warm` */
} Standing;

typedef struct {
    Standing standing;
    unsigned samples;          /* looks that met it as a CANDIDATE */
    PyCodeObject *replacement; /* new frames of this code start in it; NULL: in the code itself */
    const PyObject *globals;   /* `replacement` is for these; not owned, only compared */
    bool reaches;              /* 3.11 only: reach.c moves its frames at their loops */
    unsigned looks, pause;     /* 3.11 only: one look in 2**pause tries to */
} Record;

/* records.c: a record for each code object that was met; it dies with the code object. */
int records_init(void);
Record *records_find(PyCodeObject *code); /* NULL if there is none */
Record *records_make(PyCodeObject *code); /* finds or makes it; NULL, no exception: no memory */

/* sampler.c */
extern PyObject *sampler_candidate, *sampler_warm;
void sampler_read_thread(PyThreadState *ts, bool own_thread, bool counts);
void sampler_ask_about_met(void);
PyObject *sampler_frame_values(Frame *frame);
extern unsigned sampler_samples; /* looks that have to count code before it is warm */
bool sampler_take_news(void);    /* whether a look has met anything new since the last call */

/* tally.c: the stacks of each look, for `run --stats` and reports */
void tally_use(PyObject *callback);
bool tally_wanted(void);
void tally_read_thread(PyThreadState *ts);
void tally_tell(void);
void tally_restart(void);

/* ticker.c: the thread */
int ticker_start(long microseconds);
void ticker_stop(void);
void ticker_hold(PyThreadState *ts);
void ticker_release_parent(void);
void ticker_release_child(void);
bool ticker_runs(void);

/* memory.c */
bool memory_keep(void); /* false if nothing was changed */

/* bare.c */
PyObject *bare_run(PyObject *module, PyObject *const *args, Py_ssize_t count);

/* move.c */
PyObject *move_configure(PyObject *module, PyObject *serve);
PyObject *move_replace(PyObject *module, PyObject *const *args, Py_ssize_t count);
#if PY_VERSION_HEX >= 0x030C0000
PyObject *move_on_start(PyObject *module, PyObject *const *args, Py_ssize_t count);
PyObject *move_on_jump(PyObject *module, PyObject *const *args, Py_ssize_t count);
#endif
int move_ask(PyThreadState *ts, Frame *frame, PyCodeObject *code, PyObject *offset);
void move_release_old_codes(void);

enum { HEADROOM = 500 }; /* frames that callbacks may use beyond the program's recursion limit */

/* reach.c; its functions do nothing on CPython 3.12 and later */
#if PY_VERSION_HEX < 0x030C0000
PyObject *reach_configure(PyObject *module, PyObject *function);
PyObject *reach(PyObject *module, PyObject *const *args, Py_ssize_t count);
PyObject *reach_now(PyObject *module, PyObject *ignored);
#endif
void reach_running(PyThreadState *ts);
void reach_no_more(PyThreadState *ts);
bool reach_is_only_tracer(PyThreadState *ts); /* and there is no profiler */

#endif
