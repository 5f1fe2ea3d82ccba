/* Keys: the numbers that a plan depends on, and the plans that a segment keeps. */
#ifndef DYNTRACE_VM_PLAN_KEYS_H
#define DYNTRACE_VM_PLAN_KEYS_H

#include "vm/plan/plan.h"

enum { KEY_ROOM = 512 }; /* numbers of a key on the stack of a call */
Status key_make(const Program *program, const Segment *segment, PyObject **objects, npy_intp *key,
                int *length, const Node **fault);
Plan *key_find(Segment *segment, const npy_intp *key, int length);
Plan *key_spare(const Program *program, Segment *segment); /* NULL: out of memory */

#endif
