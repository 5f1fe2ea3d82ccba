/* The parts of dyntrace._native and what they offer each other.

   module.c   the module's functions            region.c   Handle, Region: the call of a region
   entry.c    one entry of a region: its guard steps, compiled; the callable and what it is given
   read.c     where a step's value comes from   check.c    what a step's value must be
   floating.c NumPy's floating-point modes      osr.c      moving a running frame to other code
   hook.c     frame evaluation (PEP 523)        frame_py3xx.h  the differences between Pythons
   Each part has a twin in dyntrace/runtime/. */
#ifndef DYNTRACE_NATIVE_H
#define DYNTRACE_NATIVE_H

#include "frame_py3xx.h"

enum {
    MAX_STEPS = 256,
    FRAMES_TO_COMPILE = 200, /* Python frames that dyntrace may need; not taken from a program */
};

/* One guard step. `read` gives a new reference, or NULL without an exception; NULL as a function
   means "argument number `a`". `check` being NULL means that anything will do. */
typedef struct Step Step;
struct Step {
    PyObject *(*read)(const Step *step, PyObject *base);
    bool (*check)(const Step *step, PyObject *value);
    Py_ssize_t a;       /* argument or earlier step; -1: none */
    PyObject *mapping;  /* the dict of a global */
    PyObject *b;        /* name or key */
    Py_ssize_t index;   /* `b` as a position, or a field's offset */
    PyObject *c;        /* what the check compares with */
    Py_ssize_t d;       /* dimensions or length */
    int number;         /* dtype number of an array guard */
    unsigned version;   /* version tag of a class */
};

typedef struct {
    PyObject_VAR_HEAD
    PyObject *source;   /* the tuple this was compiled from */
    PyObject *run;
    vectorcallfunc call; /* of `run`, where it cannot change; else NULL */
    Py_ssize_t *uses;
    Py_ssize_t use_count;
    bool fallible;
    bool direct; /* the inputs are the first arguments, in order */
    Step steps[1];
} Entry;

/* read.c, check.c: fill in a step; -1 with TypeError or ValueError if it is malformed. */
int compile_read(Step *step, const char *source, PyObject *a, PyObject *b, Py_ssize_t position);
int compile_check(Step *step, const char *guard, PyObject *c, PyObject *d);
void specialise_attribute(Step *step, const Step *base); /* `base` has a "plain" guard */
bool is_plain_guard(const Step *step);
int check_init(void);

/* entry.c */
extern PyTypeObject Entry_Type;
PyObject *entry_new(PyObject *source);
bool entry_values(const Entry *entry, PyObject *const *args, Py_ssize_t count, PyObject **values);
/* NULL with the run's exception. `nargsf` tells whether args[-1] may be used. */
PyObject *entry_run(const Entry *entry, PyObject *const *args, size_t nargsf, PyObject **values);
void entry_release(const Entry *entry, PyObject **values);

/* floating.c: -1 with an exception if the modes cannot be read. */
typedef struct {
    PyObject *before; /* the thread's context variables; NULL: nothing was changed */
    PyObject *inside; /* those inside the region */
    PyObject *capsule; /* the modes before */
} Floating;
int floating_enter(Floating *state);
void floating_leave(Floating *state); /* keeps a pending exception */
int floating_init(void);

/* region.c */
extern PyTypeObject Handle_Type;
extern PyTypeObject Region_Type;
bool is_asynchronous(PyObject *run); /* of the pending exception; may replace it */
int region_init(void);

/* osr.c, hook.c */
PyObject *osr(PyObject *module, PyObject *const *args, Py_ssize_t count);
PyObject *hook_install(PyObject *module, PyObject *callback);
PyObject *hook_remove(PyObject *module, PyObject *ignored);
PyObject *hook_set(PyObject *module, PyObject *const *args, Py_ssize_t count);
PyObject *hook_forget(PyObject *module, PyObject *code);
PyObject *hook_suspend(PyObject *module, PyObject *ignored);
PyObject *hook_resume(PyObject *module, PyObject *ignored);
int hook_init(void);
bool same_layout(PyCodeObject *one, PyCodeObject *other);

#endif
