/* The parts of dyntrace._native and what they offer each other.

   module.c   the module's functions            handle.c   what compiled code holds of a region
   region.c   Region: the call of a region      trial.c    is a region faster than the original?
   retire.c   when it is given up, or rests     patch.c    jumping over a stub in running code
   counters.c what a region tells of its calls  failures.c whose an exception is
   entry.c    one entry of a region: its guard steps, compiled; the callable and what it is given
   read.c     where a step's value comes from   check.c    what a step's value must be
   instance.c the attributes of an instance
   floating.c NumPy's context variables         osr.c      moving a running frame to other code
   hook.c     frame evaluation (PEP 523)        frame_py3xx.h  the differences between Pythons
   pool.c     threads that share a job              arena.c    memory recycled across calls
   environment.c  floating-point modes and flags    placing.c  the CPU a thread is woken on
   joining.c      whether sharing jobs pays     shelter.c  no signal handlers in an analysis
   Each part has a twin in dyntrace/runtime/ or dyntrace/exec/; the last five know no Python and
   have headers of their own. */
#ifndef DYNTRACE_NATIVE_H
#define DYNTRACE_NATIVE_H

#include "cpython/frame_py3xx.h"

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
    PyObject *c;        /* what the check compares with, or a weak reference to it */
    Py_ssize_t d;       /* dimensions or length */
    int number;         /* dtype number of an array guard */
    unsigned version;   /* version tag of a class */
};

typedef struct {
    PyObject_VAR_HEAD
    PyObject *source;   /* the tuple this was compiled from */
    PyObject *run;
    vectorcallfunc call; /* of `run`, where it cannot change; else NULL */
    Py_ssize_t *uses;   /* the steps that the graph is given */
    Py_ssize_t use_count;
    Py_ssize_t *sized;  /* those whose arrays say how much work there is */
    Py_ssize_t sized_count;
    long long runs; /* that gave a result */
    bool fallible;
    bool direct; /* the inputs are the first arguments, in order */
    Step steps[1];
} Entry;

/* read.c, check.c: fill in a step; -1 with TypeError or ValueError if it is malformed. */
int compile_read(Step *step, const char *source, PyObject *a, PyObject *b, Py_ssize_t position);
int compile_check(Step *step, const char *guard, PyObject *c, PyObject *d);
void specialise_attribute(Step *step, PyTypeObject *type); /* `type` is guarded "plain" */
PyTypeObject *plain_type(const Step *step); /* of a "plain" guard, borrowed; else NULL */
int check_init(void);

/* entry.c */
extern PyTypeObject Entry_Type;
PyObject *entry_new(PyObject *source);
bool entry_values(const Entry *entry, PyObject *const *args, Py_ssize_t count, PyObject **values);
/* NULL with the run's exception. `nargsf` tells whether args[-1] may be used. */
PyObject *entry_run(const Entry *entry, PyObject *const *args, size_t nargsf, PyObject **values);
void entry_release(const Entry *entry, PyObject **values);
long long entry_bytes(const Entry *entry, PyObject *const *values); /* of its sized arrays */

/* floating.c: -1 with an exception if the modes cannot be read. */
typedef struct {
    PyObject *before; /* the thread's context variables; NULL: nothing was changed */
    PyObject *inside; /* those inside the region */
    PyObject *capsule; /* the modes before */
} Floating;
int floating_enter(Floating *state);
void floating_leave(Floating *state); /* keeps a pending exception */
int floating_init(void);

/* datamem.c: the handler of new arrays' memory in the context variables of the thread; -1 with an
   exception. */
int datamem_enter(void);
int datamem_leave(void);

/* check.c: the bytes of an array, 0 of anything else. */
long long array_bytes(PyObject *value);

/* trial.c */
enum { BUCKETS = 32 };
typedef struct {
    unsigned char quads, faster, slower, much_slower; /* how the comparisons ended */
    unsigned char verdict;
    long long due, holds; /* the call at which the verdict is old; calls for which the next holds */
} Bucket;
typedef struct {
    long long next;       /* the call to look at next; LLONG_MAX: none */
    long long started;    /* when the original instructions began, 0 while they do not run */
    PyThreadState *owner; /* whose call is compared */
    long long region, original; /* time taken in the current comparison */
    long long slower_run, faster_original; /* of the two of each in it */
    int turn, bucket, drops;
    bool running, warm, mixed; /* running: the region, for the comparison */
    bool decided; /* the last call needed no comparison: the next does not read the clock before */
    Bucket buckets[BUCKETS];
} Trial;
typedef enum { TURN_RUN, TURN_TIMED, TURN_ORIGINAL, TURN_LOST } Turn;
void trial_begin(Trial *trial);
long long trial_clock(void);
Turn trial_turn(Trial *trial, long long call, long long bytes);
void trial_start_original(Trial *trial);
void trial_end_original(Trial *trial);
bool trial_end_region(Trial *trial, long long call, long long time); /* is it lost for good? */
void trial_drop(Trial *trial);
Py_ssize_t trial_lost(const Trial *trial, long long *lost); /* fills in the buckets that lost */
PyObject *set_clock(PyObject *module, PyObject *clock);

/* region.c, handle.c */
typedef struct Region Region;
typedef struct {
    PyObject_HEAD
    vectorcallfunc call;
    Region *region; /* not owned: the region takes itself out when it dies */
    PyObject *weakrefs;
} Handle;
typedef enum { NO_CAUSE, MISSES, FLOATING, ERRORS, DECLINED, SLOWER, CAUSES } Cause;
struct Region {
    PyObject_HEAD
    Handle *handle;
    Handle *marker;    /* what stands at the end of the original instructions */
    PyObject *entries; /* tuple of Entry, replaced as a whole */
    PyObject *on_miss; /* NULL or a callable */
    PyObject *on_retire; /* NULL or a callable */
    PyObject *on_rest; /* NULL or a callable */
    PyObject *weakrefs;
    Py_ssize_t last;   /* the entry that was hit last */
    long long calls, deopts, misses, learnt, skips, compared, deopt_limit;
    long long stub_time; /* nanoseconds of the stub, outside the call */
    int declined;      /* calls in a row */
    int countdown;     /* while it rests: the calls left out before one is let through */
    long long replays[CAUSES]; /* `deopts` by cause */
    long long window;  /* the call since which `failures` are counted */
    long long failures[CAUSES];
    int cause;
    char commits; /* an effect is all that it is for: do it, and answer True */
    char retired;
    char resting; /* it has declined many calls in a row */
    Trial trial;
};
extern PyTypeObject Handle_Type;
extern PyTypeObject Region_Type;
Handle *handle_of(Region *region, bool marker);
PyObject *region_call(Region *region, PyObject *const *args, size_t nargsf);
int region_init(void);

/* failures.c: of the pending exception, which they may replace: does it go on to the program? */
bool is_asynchronous(PyObject *run);
bool run_failed(PyObject *run, PyObject *region);
bool callback_failed(PyObject *callback, PyObject *owner);
PyObject *import_name(const char *module_name, const char *name);
int failures_init(void);

/* counters.c: getters */
PyObject *counted_runs(PyObject *self, void *closure);
PyObject *counted_replays(PyObject *self, void *closure);
PyObject *counted_losses(PyObject *self, void *closure);

/* retire.c: -1 with an exception that was thrown in from outside. */
int retire(Region *region, Cause cause);
int retire_after_deopt(Region *region, Cause cause);
int retire_after_miss(Region *region);
int rest_after_decline(Region *region);
int end_rest(Region *region); /* a call is not declined */
bool rest_is_over(Region *region); /* for one call */

/* instance.c */
PyObject *instance_value(PyObject *obj, PyObject *name); /* new; NULL without an exception */
PyObject *own_attributes(PyObject *module, PyObject *obj);

/* patch.c, osr.c, hook.c */
PyObject *patch_jump(PyObject *module, PyObject *const *args, Py_ssize_t count);
PyObject *osr(PyObject *module, PyObject *const *args, Py_ssize_t count);
PyObject *hook_install(PyObject *module, PyObject *callback);
PyObject *hook_remove(PyObject *module, PyObject *ignored);
PyObject *hook_set(PyObject *module, PyObject *const *args, Py_ssize_t count);
PyObject *sheltered(PyObject *module, PyObject *const *args, Py_ssize_t count);
PyObject *hook_forget(PyObject *module, PyObject *code);
PyObject *hook_suspend(PyObject *module, PyObject *ignored);
PyObject *hook_resume(PyObject *module, PyObject *ignored);
int hook_init(void);

/* program.c; its own parts are in vm.h */
extern PyTypeObject Program_Type;
int vm_init(void);


#endif
