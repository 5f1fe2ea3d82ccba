/* Commit: the trailing write of a region that also stores results.

   The machine prepares the commit, the region stores its results, and calls the commit
   (exec/results.py). Preparing proves that the write cannot fail; calling copies between arrays of
   one dtype. Invariant: source and target share no memory. Read array/overlap.c for that. */
#include "vm/commit.h"

#include "vm/array/arrays.h"
#include "vm/array/overlap.h"
#include "vm/array/scalars.h"

typedef struct {
    PyObject_HEAD
    vectorcallfunc call;
    PyArrayObject *target, *source;
} Commit;

static PyObject *
commit_call(PyObject *self, PyObject *const *args, size_t nargsf, PyObject *names)
{
    (void)args;
    Commit *commit = (Commit *)self;
    if (PyVectorcall_NARGS(nargsf) != 0 || (names != NULL && PyTuple_GET_SIZE(names) != 0)) {
        PyErr_SetString(PyExc_TypeError, "a commit takes no arguments");
        return NULL;
    }
    if (PyArray_CopyInto(commit->target, commit->source) < 0) {
        return NULL;
    }
    Py_RETURN_NONE;
}

static void
commit_dealloc(PyObject *self)
{
    Commit *commit = (Commit *)self;
    Py_XDECREF(commit->target);
    Py_XDECREF(commit->source);
    PyObject_Free(self);
}

PyTypeObject Commit_Type = {
    PyVarObject_HEAD_INIT(NULL, 0)
    .tp_name = "dyntrace._native.Commit",
    .tp_doc = "A write that cannot fail; calling it does it.",
    .tp_basicsize = sizeof(Commit),
    .tp_flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_VECTORCALL
                | Py_TPFLAGS_DISALLOW_INSTANTIATION,
    .tp_vectorcall_offset = offsetof(Commit, call),
    .tp_call = PyVectorcall_Call,
    .tp_dealloc = commit_dealloc,
};

/* Whether the source broadcasts to the target. If not strict, leading axes of length one that the
   target lacks are dropped, as PyArray_AssignArray does. */
static bool
fits(PyArrayObject *target, PyArrayObject *source, bool strict)
{
    int extra = PyArray_NDIM(source) - PyArray_NDIM(target);
    for (int i = 0; i < PyArray_NDIM(source); i++) {
        npy_intp length = PyArray_DIM(source, i);
        bool leads = i < extra;
        if (leads ? strict || length != 1
                  : length != 1 && length != PyArray_DIM(target, i - extra)) {
            return false;
        }
    }
    return true;
}

/* The source as an array of the target's dtype that shares no memory with it, or NULL. */
static PyArrayObject *
source_array(PyArrayObject *target, PyObject *value)
{
    PyArrayObject *source;
    if (PyArray_Check(value)) {
        source = (PyArrayObject *)value;
        if (PyArray_DESCR(source)->type_num != PyArray_DESCR(target)->type_num) {
            return NULL;
        }
        if (overlap_by_mapping(target, source)) {
            return NULL;
        }
        if (ranges_meet(overlap_range_of(target), overlap_range_of(source))) {
            if (overlap_read_while_written(PyArray_NDIM(target), PyArray_STRIDES(target),
                                           PyArray_NDIM(source), PyArray_STRIDES(source))) {
                return NULL;
            }
            return (PyArrayObject *)PyArray_NewCopy(source, NPY_KEEPORDER);
        }
        return (PyArrayObject *)Py_NewRef(value);
    }
    PyArray_Descr *descr = PyArray_DESCR(target);
    Py_INCREF(descr);
    source = (PyArrayObject *)PyArray_NewFromDescr(&PyArray_Type, descr, 0, NULL, NULL, NULL, 0,
                                                   NULL);
    if (source != NULL && !scalar_store(descr, value, PyArray_BYTES(source))) {
        Py_CLEAR(source);
    }
    return source;
}

static Status
prepare(PyArrayObject *target, PyObject *value, bool strict, PyObject **made)
{
    if (!array_is_writeable(target)) {
        return MISFIT;
    }
    if (overlap_within(PyArray_NDIM(target), PyArray_DIMS(target), PyArray_STRIDES(target),
                       PyArray_ITEMSIZE(target))) {
        return REPLAY; /* elements share memory, so NumPy's order of writes counts */
    }
    PyArrayObject *source = source_array(target, value);
    if (source == NULL || !fits(target, source, strict)) {
        Py_XDECREF(source);
        PyErr_Clear();
        return MISFIT;
    }
    Commit *commit = PyObject_New(Commit, &Commit_Type);
    if (commit == NULL) {
        Py_DECREF(source);
        PyErr_Clear();
        return REPLAY;
    }
    commit->call = commit_call;
    commit->target = (PyArrayObject *)Py_NewRef((PyObject *)target);
    commit->source = source;
    *made = (PyObject *)commit;
    return DONE;
}

Status
commit_step(const ProgramStep *step, PyObject **objects)
{
    if (objects[step->call.reg] != NULL) {
        return DONE; /* a node that NumPy ran has prepared the commit (split.c) */
    }
    PyObject *target = objects[step->target], *made = NULL;
    Status status =
        PyArray_CheckExact(target)
            ? prepare((PyArrayObject *)target, objects[step->source], step->strict, &made)
            : REPLAY;
    PyErr_Clear();
    Py_XSETREF(objects[step->call.reg], made);
    return status;
}
