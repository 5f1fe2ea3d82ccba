/* The parts of dyntrace._sampler: the thread that looks, what is seen, and how frames are moved.

   Invariant: nothing here needs NumPy, and nothing here is needed for anything but speed. */
#ifndef DYNTRACE_SAMPLER_H
#define DYNTRACE_SAMPLER_H

#include "cpython/frame_layout.h"

/* Where a code object stands. */
typedef enum {
    UNSEEN,    /* not met yet */
    FOREIGN,   /* left alone for good */
    CANDIDATE, /* counted when it is met */
    JUDGED,    /* handed to `warm` */
} Standing;

typedef struct {
    Standing standing;
    unsigned samples;
    PyCodeObject *replacement; /* what frames of this code start in; NULL: itself */
    const PyObject *globals;   /* for functions with these, not owned, only compared */
    bool reaches;              /* on 3.11: loops of its frames are looked for */
    unsigned looks, pause;     /* one look in 2**pause does so */
} Record;

/* records.c: one for each code object met; it goes with the code object. */
int records_init(void);
Record *record_of(PyCodeObject *code);
Record *record_made(PyCodeObject *code); /* NULL without an exception where there is no memory */

/* sampler.c */
extern PyObject *sampler_candidate, *sampler_warm;
void read_thread(PyThreadState *ts, bool own_thread, bool counts);
void ask_about_met(void);

/* tally.c: which lines time goes to, where somebody wants to know */
void tally_use(PyObject *callback);
bool tally_wanted(void);
void tally_read_thread(PyThreadState *ts);
void tally_tell(void);
void tally_restart(void);

/* ticker.c: the thread */
int ticker_start(long microseconds, unsigned samples);
void ticker_stop(void);
void ticker_hold(PyThreadState *ts);
void ticker_release_parent(void);
void ticker_release_child(void);
bool ticker_runs(void);
unsigned ticker_samples(void);
void ticker_found_news(void);

/* memory.c */
bool memory_keep(void); /* false where nothing has been changed */

/* bare.c */
PyObject *bare_run(PyObject *module, PyObject *const *args, Py_ssize_t count);

/* move.c */
PyObject *move_configure(PyObject *module, PyObject *serve);
PyObject *move_replace(PyObject *module, PyObject *const *args, Py_ssize_t count);
#if PY_VERSION_HEX >= 0x030C0000
PyObject *move_on_start(PyObject *module, PyObject *const *args, Py_ssize_t count);
PyObject *move_on_jump(PyObject *module, PyObject *const *args, Py_ssize_t count);
#endif
int ask_and_move(PyThreadState *ts, Frame *frame, PyCodeObject *code, PyObject *offset);
PyObject *frame_values(Frame *frame);
void move_forget_left(void);

enum { HEADROOM = 500 }; /* Python frames that what is asked may have beyond the program's limit */

/* reach.c; on CPython 3.12 and later there is nothing of it */
#if PY_VERSION_HEX < 0x030C0000
PyObject *reach_configure(PyObject *module, PyObject *function);
PyObject *reach(PyObject *module, PyObject *const *args, Py_ssize_t count);
PyObject *reach_now(PyObject *module, PyObject *ignored);
#endif
void reach_running(PyThreadState *ts);
void reach_no_more(PyThreadState *ts);
bool reaches_only(PyThreadState *ts); /* nobody else traces, profiles or monitors */

#endif
