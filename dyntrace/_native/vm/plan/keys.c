/* Keys of plans: the numbers that a plan depends on, and the plans that a segment keeps.

   A key holds the shapes, strides and flags of the input arrays, the ints that decide shapes, and
   how each array lies to the target of a write.
   Invariants: two calls with equal keys have equal plans; no call makes a plan anew that another
   call uses. Read plan.c for making plans. */
#include "vm/plan/keys.h"

#include "vm/array/arrays.h"
#include "vm/array/overlap.h"
#include "vm/program/segment.h"

/* The flags of an array, whether NumPy warns of writing to it, and its distance from the target if
   the two may share memory. */
static npy_intp
describe_array(const Segment *segment, PyObject **objects, PyArrayObject *array)
{
    int flags = PyArray_FLAGS(array);
    npy_intp found = flags & (NPY_ARRAY_WRITEABLE | NPY_ARRAY_OWNDATA);
    found |= array_is_writeable(array) ? 1 << 19 : 0;
    if (segment->target >= 0) {
        PyArrayObject *target = (PyArrayObject *)objects[segment->target];
        bool meets = ranges_meet(overlap_range_of(array), overlap_range_of(target));
        found |= overlap_by_mapping(array, target) ? 1 << 20 : 0;
        found |= meets ? 1 << 21 : 0;
        if (meets && array != target) {
            found ^= (npy_intp)((npy_uintp)(PyArray_BYTES(array) - PyArray_BYTES(target)) << 22);
        }
    }
    return found;
}

/* UNPLANNED: an array is not aligned, so NumPy has to run the node that reads it. */
Status
key_make(const Program *program, const Segment *segment, PyObject **objects, npy_intp *key,
         int *made, const Node **fault)
{
    int length = 0;
    for (int i = 0; i < segment->input_count; i++) {
        short reg = segment->inputs[i];
        const Register *declared = &program->registers[reg];
        if (declared->descr == NULL || declared->ndim < 0) {
            continue;
        }
        PyArrayObject *array = (PyArrayObject *)objects[reg];
        if (!(PyArray_FLAGS(array) & NPY_ARRAY_ALIGNED)) {
            *fault = segment_reader(segment, reg);
            return UNPLANNED;
        }
        key[length++] = describe_array(segment, objects, array);
        for (int axis = 0; axis < declared->ndim; axis++) {
            key[length++] = PyArray_DIM(array, axis);
            key[length++] = PyArray_STRIDE(array, axis);
        }
    }
    for (int i = 0; i < segment->key_count; i++) {
        key[length] = PyNumber_AsSsize_t(objects[segment->keys[i]], NULL);
        if (key[length++] == -1 && PyErr_Occurred()) {
            PyErr_Clear();
            return REPLAY;
        }
    }
    *made = length;
    return DONE;
}

static bool
same_key(const npy_intp *one, const npy_intp *other, int length)
{
    for (int i = 0; i < length; i++) {
        if (one[i] != other[i]) {
            return false;
        }
    }
    return true;
}

Plan *
key_find(Segment *segment, const npy_intp *key, int length)
{
    for (int i = 0; i < PLANS_KEPT; i++) {
        Plan *plan = segment->plans[i];
        if (plan != NULL && plan->key_length == length && !plan->busy
            && same_key(plan->key, key, length)) {
            return plan;
        }
    }
    return NULL;
}

/* A plan to make anew: the oldest that no call uses, or a detached one if calls use all of them. */
Plan *
key_spare(const Program *program, Segment *segment)
{
    for (int tries = 0; tries < PLANS_KEPT; tries++) {
        unsigned place = segment->next_plan++ % PLANS_KEPT;
        if (segment->plans[place] == NULL) {
            segment->plans[place] = plan_new(program, segment);
            return segment->plans[place];
        }
        if (!segment->plans[place]->busy) {
            return segment->plans[place];
        }
    }
    Plan *plan = plan_new(program, segment);
    if (plan != NULL) {
        plan->detached = true;
    }
    return plan;
}
