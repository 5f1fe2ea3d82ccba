/* The call of a region: it runs the entry that accepts the call, or returns None.

   Invariant: a call returns the result, or None for "run the original instructions". It raises only
   what was thrown into the region from outside (runtime/failures.py). The twin is
   runtime/region.py. Read entry.c next for guards and runs, trial.c for measuring, handle.c for the
   callers. */
#include "cpython/frame_py3xx.h"

#include "region/call.h"

#include "cpython/failures.h"
#include "cpython/imports.h"
#include "region/entry.h"
#include "region/retire.h"

static PyObject *refusal; /* DyntraceError, which executors raise to decline */

static Entry *
try_entry(Region *region, PyObject *entries, Py_ssize_t position, PyObject *const *args,
          Py_ssize_t count, PyObject **values)
{
    Entry *entry = (Entry *)PyTuple_GET_ITEM(entries, position);
    if (!entry_values(entry, args, count, values)) {
        return NULL;
    }
    region->last = position;
    return (Entry *)Py_NewRef(entry);
}

/* The entry whose guards hold, with its values; NULL if none. Never raises. */
static Entry *
find_entry(Region *region, PyObject *const *args, Py_ssize_t count, PyObject **values)
{
    if (region->entries == NULL) {
        return NULL;
    }
    PyObject *entries = Py_NewRef(region->entries);
    Py_ssize_t length = PyTuple_GET_SIZE(entries), last = region->last;
    Entry *found = NULL;
    if (last < length) {
        found = try_entry(region, entries, last, args, count, values);
    }
    for (Py_ssize_t i = 0; i < length && found == NULL; i++) {
        if (i != last) {
            found = try_entry(region, entries, i, args, count, values);
        }
    }
    Py_DECREF(entries);
    return found;
}

/* 1: an entry may have been added; 0: no; -1: an exception from outside. */
static int
report_miss(Region *region, PyObject *const *args, Py_ssize_t count)
{
    region->misses++;
    if (region->on_miss == NULL) {
        return 0;
    }
    PyObject *callback = Py_NewRef(region->on_miss), *answer = NULL;
    PyObject *tuple = PyTuple_New(count);
    if (tuple != NULL) {
        for (Py_ssize_t i = 0; i < count; i++) {
            PyTuple_SET_ITEM(tuple, i, Py_NewRef(args[i]));
        }
        answer = PyObject_CallFunctionObjArgs(callback, (PyObject *)region, tuple, NULL);
        Py_DECREF(tuple);
    }
    int status = answer == Py_True;
    if (answer == NULL) {
        status = failure_of_callback(callback, (PyObject *)region) ? -1 : 0;
        if (status == 0) {
            PyErr_Clear();
        }
    }
    Py_XDECREF(answer);
    Py_DECREF(callback);
    return status;
}

/* Commits the effect of a region without outputs. Once it has begun, the original instructions
   cannot run instead, so an error in it is raised. */
static PyObject *
commit(PyObject *result)
{
    if (result == Py_True || result == Py_None) {
        return result;
    }
    PyObject *call = PyTuple_CheckExact(result) && PyTuple_GET_SIZE(result) == 1
                         ? PyTuple_GET_ITEM(result, 0)
                         : NULL;
    PyObject *done = NULL;
    if (call == NULL) {
        PyErr_SetString(PyExc_TypeError, "a graph with an effect only returns (commit,) or True");
    }
    else {
        done = PyObject_CallNoArgs(call);
    }
    Py_DECREF(result);
    if (done == NULL) {
        return NULL;
    }
    Py_DECREF(done);
    Py_RETURN_TRUE;
}

/* Why a run failed. Clears the exception; NO_CAUSE: it goes on to the program, still pending. */
static Cause
cause_of_error(Region *region, PyObject *run)
{
    Cause cause = PyErr_ExceptionMatches(PyExc_FloatingPointError) ? FLOATING
                  : PyErr_ExceptionMatches(refusal)                ? DECLINED
                                                                   : ERRORS;
    if (failure_of_run(run, (PyObject *)region)) {
        return NO_CAUSE;
    }
    PyErr_Clear();
    return cause;
}

static PyObject *
run_entry(Region *region, Entry *entry, PyObject *const *args, size_t nargsf, PyObject **values)
{
    bool failed = region->declined != 0 && retire_end_rest(region) < 0;
    PyObject *result = failed ? NULL : entry_run(entry, args, nargsf, values);
    entry_release(entry, values);
    if (result != NULL && result != Py_None) {
        entry->runs++;
        Py_DECREF(entry);
        return region->commits ? commit(result) : result;
    }
    Cause cause = failed           ? NO_CAUSE
                  : result == NULL ? cause_of_error(region, entry->run)
                                   : DECLINED;
    Py_DECREF(entry);
    if (cause == NO_CAUSE || retire_after_deopt(region, cause) < 0) {
        Py_XDECREF(result);
        return NULL;
    }
    return result == NULL ? Py_NewRef(Py_None) : result;
}

/* 1: `found` accepts the call, with its values; 0: no entry does; -1: exception from outside. */
static int
accept(Region *region, PyObject *const *args, Py_ssize_t count, PyObject **values, Entry **found)
{
    *found = find_entry(region, args, count, values);
    if (*found != NULL) {
        return 1;
    }
    int status = report_miss(region, args, count);
    if (status > 0) {
        *found = find_entry(region, args, count, values);
        region->learnt += *found != NULL;
    }
    if (*found == NULL && status >= 0) {
        status = region->on_miss == NULL ? retire_after_miss(region) : 0;
        status = status < 0 || region->retired ? status : retire_after_decline(region);
    }
    return status < 0 ? -1 : *found != NULL;
}

static PyObject *
call_unmeasured(Region *region, PyObject *const *args, size_t nargsf)
{
    PyObject *values[MAX_STEPS];
    Entry *entry;
    int accepted = accept(region, args, PyVectorcall_NARGS(nargsf), values, &entry);
    if (accepted <= 0) {
        return accepted < 0 ? NULL : Py_NewRef(Py_None);
    }
    return run_entry(region, entry, args, nargsf, values);
}

/* Runs the region as part of a comparison. `began` is the time at which the call began. */
static PyObject *
call_timed(Region *region, Entry *entry, PyObject *const *args, size_t nargsf, PyObject **values,
           long long began)
{
    PyObject *result = run_entry(region, entry, args, nargsf, values);
    if (result == NULL || result == Py_None) {
        trial_drop(&region->trial);
        return result;
    }
    long long time = trial_clock() - began + region->stub_time;
    bool lost = trial_end_region(&region->trial, region->calls, time);
    if (lost && retire(region, SLOWER) < 0) {
        Py_CLEAR(result);
    }
    return result;
}

/* Leaves the call to the original instructions, and measures them. */
static PyObject *
start_original(Region *region)
{
    region->skips++;
    region->compared++;
    if (region->declined != 0 && retire_end_rest(region) < 0) {
        return NULL;
    }
    trial_start_original(&region->trial);
    Py_RETURN_NONE;
}

/* Leaves the call to the original instructions, which are faster on such inputs. */
static PyObject *
decline(Region *region)
{
    region->skips++;
    return retire_after_decline(region) < 0 ? NULL : Py_NewRef(Py_None);
}

/* A call that may be part of a comparison with the original instructions. */
static PyObject *
call_in_trial(Region *region, PyObject *const *args, size_t nargsf)
{
    long long began = region->trial.decided ? 0 : trial_clock();
    PyObject *values[MAX_STEPS];
    Entry *entry;
    int accepted = accept(region, args, PyVectorcall_NARGS(nargsf), values, &entry);
    if (accepted <= 0) {
        return accepted < 0 ? NULL : Py_NewRef(Py_None);
    }
    Turn turn = trial_turn(&region->trial, region->calls, entry_bytes(entry, values));
    if (turn == TURN_TIMED) {
        return call_timed(region, entry, args, nargsf, values, began);
    }
    if (turn == TURN_RUN) {
        return run_entry(region, entry, args, nargsf, values);
    }
    entry_release(entry, values);
    Py_DECREF(entry);
    return turn == TURN_LOST ? decline(region) : start_original(region);
}

PyObject *
call_region(Region *region, PyObject *const *args, size_t nargsf)
{
    if (region->retired || is_watched(PyThreadState_Get())) {
        Py_RETURN_NONE;
    }
    if (++region->calls < region->trial.next) {
        return call_unmeasured(region, args, nargsf);
    }
    return call_in_trial(region, args, nargsf);
}

int
call_init(void)
{
    refusal = import_attribute("dyntrace.errors", "DyntraceError");
    return refusal != NULL ? 0 : -1;
}
