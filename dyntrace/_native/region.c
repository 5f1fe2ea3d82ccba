/* Region: a polymorphic inline cache of entries. Handle: what compiled code holds of one.

   Invariants: a call gives the result, or None for "run the original instructions"; it raises only
   what was thrown into the region from outside (runtime/failures.py). A handle keeps nothing alive,
   since code objects are invisible to the garbage collector. The twin is runtime/region.py. */
#include "native.h"

#include <structmember.h>

typedef struct Region Region;

typedef struct {
    PyObject_HEAD
    vectorcallfunc call;
    Region *region; /* not owned: the region takes itself out when it dies */
    PyObject *weakrefs;
} Handle;

struct Region {
    PyObject_HEAD
    Handle *handle;
    PyObject *entries; /* tuple of Entry, replaced as a whole */
    PyObject *on_miss; /* NULL or a callable */
    PyObject *weakrefs;
    Py_ssize_t last;   /* the entry that was hit last */
    long long calls, deopts, misses, deopt_limit;
    char commits; /* an effect is all that it is for: do it, and answer True */
    char retired;
};

static PyObject *asynchronous; /* (exception, callable) -> bool */

/* Exceptions -------------------------------------------------------------------------------- */
bool
is_asynchronous(PyObject *run)
{
    PyObject *error = take_error();
    if (error == NULL) {
        return false;
    }
    PyObject *answer = PyObject_CallFunctionObjArgs(asynchronous, error, run, NULL);
    if (answer == NULL) {
        Py_DECREF(error); /* what interrupted the question takes its place */
        return !PyErr_ExceptionMatches(PyExc_Exception);
    }
    bool verdict = answer == Py_True;
    Py_DECREF(answer);
    give_error(error);
    return verdict;
}

/* The call ---------------------------------------------------------------------------------- */
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

/* The entry whose guards hold, with its values, or NULL; never raises. */
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
        status = is_asynchronous(callback) ? -1 : 0;
        if (status == 0) {
            PyErr_Clear();
        }
    }
    Py_XDECREF(answer);
    Py_DECREF(callback);
    return status;
}

/* The effect of a region without outputs: after its first byte there is no way back. */
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

static PyObject *
run_entry(Region *region, Entry *entry, PyObject *const *args, size_t nargsf, PyObject **values)
{
    PyObject *result = entry_run(entry, args, nargsf, values);
    entry_release(entry, values);
    if (result == NULL) {
        if (is_asynchronous(entry->run)) {
            goto done;
        }
        PyErr_Clear();
        result = Py_NewRef(Py_None);
    }
    if (result == Py_None) {
        region->deopts++;
        if (region->deopt_limit > 0 && region->deopts >= region->deopt_limit
            && region->deopts * 8 >= region->calls) {
            region->retired = true;
        }
    }
    else if (region->commits) {
        result = commit(result);
    }
done:
    Py_DECREF(entry);
    return result;
}

static PyObject *
region_call(Region *region, PyObject *const *args, size_t nargsf)
{
    Py_ssize_t count = PyVectorcall_NARGS(nargsf);
    PyObject *values[MAX_STEPS];
    if (region->retired || is_watched(PyThreadState_Get())) {
        Py_RETURN_NONE;
    }
    region->calls++;
    Entry *entry = find_entry(region, args, count, values);
    if (entry == NULL) {
        int status = report_miss(region, args, count);
        if (status < 0) {
            return NULL;
        }
        entry = status > 0 ? find_entry(region, args, count, values) : NULL;
    }
    if (entry == NULL) {
        Py_RETURN_NONE;
    }
    return run_entry(region, entry, args, nargsf, values);
}

/* Handle ------------------------------------------------------------------------------------ */
static PyObject *
handle_call(PyObject *self, PyObject *const *args, size_t nargsf, PyObject *names)
{
    Region *region = ((Handle *)self)->region;
    if (names != NULL && PyTuple_GET_SIZE(names) != 0) {
        PyErr_SetString(PyExc_TypeError, "a handle takes no keyword arguments");
        return NULL;
    }
    /* Without references it is being taken down by code that called us. */
    if (region == NULL || Py_REFCNT(region) == 0) {
        Py_RETURN_NONE;
    }
    Py_INCREF(region);
    PyObject *result = region_call(region, args, nargsf);
    Py_DECREF(region);
    return result;
}

static PyObject *
handle_new(PyTypeObject *type, PyObject *args, PyObject *keywords)
{
    if (PyTuple_GET_SIZE(args) != 0 || (keywords != NULL && PyDict_GET_SIZE(keywords) != 0)) {
        PyErr_SetString(PyExc_TypeError, "Handle() takes no arguments");
        return NULL;
    }
    Handle *handle = (Handle *)type->tp_alloc(type, 0);
    if (handle != NULL) {
        handle->call = handle_call;
    }
    return (PyObject *)handle;
}

static void
handle_dealloc(PyObject *self)
{
    Handle *handle = (Handle *)self;
    if (handle->weakrefs != NULL) {
        PyObject_ClearWeakRefs(self);
    }
    Py_TYPE(self)->tp_free(self);
}

static PyObject *
handle_reduce(PyObject *self, PyObject *ignored)
{
    (void)self;
    (void)ignored;
    PyObject *module = PyImport_ImportModule("dyntrace.runtime.region");
    if (module == NULL) {
        return NULL;
    }
    PyObject *empty = PyObject_GetAttrString(module, "_empty_handle");
    Py_DECREF(module);
    return empty == NULL ? NULL : Py_BuildValue("(N())", empty);
}

static PyMethodDef handle_methods[] = {
    {"__reduce__", handle_reduce, METH_NOARGS, "Copies and pickles are handles of no region."},
    {NULL, NULL, 0, NULL},
};

PyTypeObject Handle_Type = {
    PyVarObject_HEAD_INIT(NULL, 0)
    .tp_name = "dyntrace._native.Handle",
    .tp_doc = "A weak, callable reference to a region; what compiled code holds.",
    .tp_basicsize = sizeof(Handle),
    .tp_flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_VECTORCALL,
    .tp_vectorcall_offset = offsetof(Handle, call),
    .tp_weaklistoffset = offsetof(Handle, weakrefs),
    .tp_call = PyVectorcall_Call,
    .tp_new = handle_new,
    .tp_dealloc = handle_dealloc,
    .tp_methods = handle_methods,
};

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
    return 0;
}

static int
region_traverse(PyObject *self, visitproc visit, void *arg)
{
    Region *region = (Region *)self;
    Py_VISIT(region->entries);
    Py_VISIT(region->on_miss);
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
    if (region->weakrefs != NULL) {
        PyObject_ClearWeakRefs(self);
    }
    region_clear(self);
    Py_CLEAR(region->handle);
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
    region->handle = (Handle *)PyObject_CallNoArgs((PyObject *)&Handle_Type);
    if (region->handle == NULL) {
        Py_DECREF(region);
        return NULL;
    }
    region->handle->region = region;
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

static PyObject *
region_get_on_miss(PyObject *self, void *closure)
{
    (void)closure;
    PyObject *callback = ((Region *)self)->on_miss;
    return Py_NewRef(callback == NULL ? Py_None : callback);
}

static int
region_set_on_miss(PyObject *self, PyObject *value, void *closure)
{
    (void)closure;
    bool none = value == NULL || value == Py_None;
    Py_XSETREF(((Region *)self)->on_miss, none ? NULL : Py_NewRef(value));
    return 0;
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
    {"__reduce__", region_reduce, METH_NOARGS, "A region cannot be pickled."},
    {NULL, NULL, 0, NULL},
};

static PyMemberDef region_members[] = {
    {"handle", T_OBJECT, offsetof(Region, handle), READONLY, "The region's handle."},
    {"calls", T_LONGLONG, offsetof(Region, calls), 0, "Calls that reached the guards."},
    {"deopts", T_LONGLONG, offsetof(Region, deopts), 0, "Runs that failed."},
    {"misses", T_LONGLONG, offsetof(Region, misses), 0, "Calls no entry accepted."},
    {"deopt_limit", T_LONGLONG, offsetof(Region, deopt_limit), 0, "Failures to retire after."},
    {"commits", T_BOOL, offsetof(Region, commits), 0, "Does it do the effect itself?"},
    {"retired", T_BOOL, offsetof(Region, retired), 0, "Does it always answer None?"},
    {NULL, 0, 0, 0, NULL},
};

static PyGetSetDef region_getset[] = {
    {"entries", region_get_entries, NULL, "The entries, in the order they were added.", NULL},
    {"on_miss", region_get_on_miss, region_set_on_miss,
     "Called as on_miss(region, args) when no entry accepts; True: try again.", NULL},
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
    PyObject *module = PyImport_ImportModule("dyntrace.runtime.failures");
    if (module == NULL) {
        return -1;
    }
    asynchronous = PyObject_GetAttrString(module, "is_asynchronous");
    Py_DECREF(module);
    return asynchronous == NULL ? -1 : 0;
}
