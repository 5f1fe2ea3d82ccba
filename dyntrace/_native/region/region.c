/* Region: a polymorphic inline cache of entries; the object, its fields and its callbacks.

   Invariant: a call returns the result, or None for "run the original instructions". It raises only
   what was thrown into the region from outside (runtime/failures.py). The twin is
   runtime/region.py. Read call.c next for the call, and handle.c for what compiled code holds. */
#include "region/region.h"

#include <limits.h>
#include <structmember.h>

#include "region/call.h"
#include "region/counters.h"
#include "region/entry.h"
#include "region/handle.h"
#include "region/retire.h"

enum { STUB_TIME = 20 }; /* nanoseconds, until somebody sets another one */

/* Region ------------------------------------------------------------------------------------ */
static PyObject *
region_add(PyObject *self, PyObject *source)
{
    Region *region = (Region *)self;
    PyObject *entry = entry_new(source);
    if (entry == NULL) {
        return NULL;
    }
    Py_ssize_t length = region->entries == NULL ? 0 : PyTuple_GET_SIZE(region->entries);
    PyObject *entries = PyTuple_New(length + 1);
    if (entries == NULL) {
        Py_DECREF(entry);
        return NULL;
    }
    for (Py_ssize_t i = 0; i < length; i++) {
        PyTuple_SET_ITEM(entries, i, Py_NewRef(PyTuple_GET_ITEM(region->entries, i)));
    }
    PyTuple_SET_ITEM(entries, length, entry);
    Py_XSETREF(region->entries, entries);
    region->last = length;
    Py_RETURN_NONE;
}

static int
region_clear(PyObject *self)
{
    Region *region = (Region *)self;
    Py_CLEAR(region->entries);
    Py_CLEAR(region->on_miss);
    Py_CLEAR(region->on_retire);
    Py_CLEAR(region->on_rest);
    return 0;
}

static int
region_traverse(PyObject *self, visitproc visit, void *arg)
{
    Region *region = (Region *)self;
    Py_VISIT(region->entries);
    Py_VISIT(region->on_miss);
    Py_VISIT(region->on_retire);
    Py_VISIT(region->on_rest);
    return 0;
}

static void
region_dealloc(PyObject *self)
{
    Region *region = (Region *)self;
    PyObject_GC_UnTrack(self);
    if (region->handle != NULL) {
        region->handle->region = NULL;
    }
    if (region->marker != NULL) {
        region->marker->region = NULL;
    }
    if (region->weakrefs != NULL) {
        PyObject_ClearWeakRefs(self);
    }
    region_clear(self);
    Py_CLEAR(region->handle);
    Py_CLEAR(region->marker);
    Py_TYPE(self)->tp_free(self);
}

static PyObject *
region_new(PyTypeObject *type, PyObject *args, PyObject *keywords)
{
    (void)args;
    (void)keywords;
    Region *region = (Region *)type->tp_alloc(type, 0);
    if (region == NULL) {
        return NULL;
    }
    region->trial.next = LLONG_MAX;
    region->stub_time = STUB_TIME;
    region->sampled = RETIRE_SAMPLED;
    region->handle = handle_of(region, false);
    region->marker = handle_of(region, true);
    if (region->handle == NULL || region->marker == NULL) {
        Py_DECREF(region);
        return NULL;
    }
    return (PyObject *)region;
}

static int
region_init_object(PyObject *self, PyObject *args, PyObject *keywords)
{
    static char *names[] = {"entries", NULL};
    PyObject *entries = NULL;
    if (!PyArg_ParseTupleAndKeywords(args, keywords, "|O:Region", names, &entries)) {
        return -1;
    }
    if (entries == NULL) {
        return 0;
    }
    PyObject *iterator = PyObject_GetIter(entries), *entry;
    if (iterator == NULL) {
        return -1;
    }
    while ((entry = PyIter_Next(iterator)) != NULL) {
        PyObject *added = region_add(self, entry);
        Py_DECREF(entry);
        if (added == NULL) {
            break;
        }
        Py_DECREF(added);
    }
    Py_DECREF(iterator);
    return PyErr_Occurred() ? -1 : 0;
}

static PyObject *
region_get_entries(PyObject *self, void *closure)
{
    (void)closure;
    PyObject *entries = ((Region *)self)->entries;
    Py_ssize_t length = entries == NULL ? 0 : PyTuple_GET_SIZE(entries);
    PyObject *sources = PyTuple_New(length);
    for (Py_ssize_t i = 0; i < length && sources != NULL; i++) {
        Entry *entry = (Entry *)PyTuple_GET_ITEM(entries, i);
        PyTuple_SET_ITEM(sources, i, Py_NewRef(entry->source));
    }
    return sources;
}

/* One getter and one setter serve all callbacks; `closure` is the callback's offset. */
static PyObject *
region_get_callback(PyObject *self, void *closure)
{
    PyObject *callback = *(PyObject **)((char *)self + (size_t)closure);
    return Py_NewRef(callback == NULL ? Py_None : callback);
}

static int
region_set_callback(PyObject *self, PyObject *value, void *closure)
{
    PyObject **callback = (PyObject **)((char *)self + (size_t)closure);
    bool none = value == NULL || value == Py_None;
    Py_XSETREF(*callback, none ? NULL : Py_NewRef(value));
    return 0;
}

static PyObject *
region_measure(PyObject *self, PyObject *ignored)
{
    (void)ignored;
    trial_begin(&((Region *)self)->trial);
    Py_RETURN_NONE;
}

static PyObject *
region_reduce(PyObject *self, PyObject *ignored)
{
    (void)ignored;
    PyErr_Format(PyExc_TypeError, "cannot pickle '%s' object", Py_TYPE(self)->tp_name);
    return NULL;
}

static PyMethodDef region_methods[] = {
    {"add", region_add, METH_O,
     "Accept calls that fit `entry` from now on; TypeError or ValueError if it is malformed."},
    {"measure", region_measure, METH_NOARGS,
     "Compare with the original instructions from now on; the marker must stand at their end."},
    {"__reduce__", region_reduce, METH_NOARGS, "A region cannot be pickled."},
    {NULL, NULL, 0, NULL},
};

static PyMemberDef region_members[] = {
    {"handle", T_OBJECT, offsetof(Region, handle), READONLY, "The region's handle."},
    {"marker", T_OBJECT, offsetof(Region, marker), READONLY,
     "To be called at the end of the original instructions."},
    {"calls", T_LONGLONG, offsetof(Region, calls), 0, "Calls that reached the guards."},
    {"deopts", T_LONGLONG, offsetof(Region, deopts), 0, "Runs that failed."},
    {"misses", T_LONGLONG, offsetof(Region, misses), 0, "Calls no entry accepted."},
    {"learnt", T_LONGLONG, offsetof(Region, learnt), 0, "Misses that a new entry then accepted."},
    {"compared", T_LONGLONG, offsetof(Region, compared), 0, "Skips that measured the original."},
    {"skips", T_LONGLONG, offsetof(Region, skips), 0, "Calls left to the original on purpose."},
    {"cause", T_INT, offsetof(Region, cause), READONLY, "Why it retired; see runtime/causes.py."},
    {"deopt_limit", T_LONGLONG, offsetof(Region, deopt_limit), 0, "Failures to retire after."},
    {"commits", T_BOOL, offsetof(Region, commits), 0, "Does it do the effect itself?"},
    {"stub_time", T_LONGLONG, offsetof(Region, stub_time), 0, "Nanoseconds outside the call."},
    {"resting", T_BOOL, offsetof(Region, resting), 0, "Has it declined many calls?"},
    {"countdown", T_INT, offsetof(Region, countdown), 0, "Calls to skip while it rests."},
    {"sampled", T_INT, offsetof(Region, sampled), 0, "While it rests, one call in so many comes."},
    {"retired", T_BOOL, offsetof(Region, retired), 0, "Does it always answer None?"},
    {NULL, 0, 0, 0, NULL},
};

static PyGetSetDef region_getset[] = {
    {"entries", region_get_entries, NULL, "The entries, in the order they were added.", NULL},
    {"runs", counters_runs, NULL, "How often each entry gave a result.", NULL},
    {"replays", counters_replays, NULL, "Runs that failed, by cause.", NULL},
    {"lost", counters_losses, NULL, "The sizes of inputs it is slower on; see trial.c.", NULL},
    {"on_miss", region_get_callback, region_set_callback,
     "Called as on_miss(region, args) when no entry accepts; True: try again.",
     (void *)offsetof(Region, on_miss)},
    {"on_retire", region_get_callback, region_set_callback,
     "Called as on_retire(region) when it has retired.", (void *)offsetof(Region, on_retire)},
    {"on_rest", region_get_callback, region_set_callback,
     "Called as on_rest(region) when it begins or ends to rest.",
     (void *)offsetof(Region, on_rest)},
    {NULL, NULL, NULL, NULL, NULL},
};

PyTypeObject Region_Type = {
    PyVarObject_HEAD_INIT(NULL, 0)
    .tp_name = "dyntrace._native.Region",
    .tp_doc = "A polymorphic inline cache of entries, tried last hit first.",
    .tp_basicsize = sizeof(Region),
    .tp_flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC | Py_TPFLAGS_BASETYPE,
    .tp_weaklistoffset = offsetof(Region, weakrefs),
    .tp_new = region_new,
    .tp_init = region_init_object,
    .tp_dealloc = region_dealloc,
    .tp_traverse = region_traverse,
    .tp_clear = region_clear,
    .tp_methods = region_methods,
    .tp_members = region_members,
    .tp_getset = region_getset,
};

int
region_init(void)
{
    return call_init();
}
