/* Words from the objects that a loop reads, and its iterators moved on. */
#ifndef DYNTRACE_AHEAD_LOOP_INPUTS_H
#define DYNTRACE_AHEAD_LOOP_INPUTS_H

#include "ahead/loop_values.h"

bool loop_inputs_accept(const LoopValue *value); /* can an input be of this kind? */

/* False, without an exception, if the object is not what the machine code was made for. */
bool loop_inputs_read(const LoopValue *value, PyObject *object, int64_t *words);

/* Moves an iterator on by the iterations that are done; other objects stay as they are. */
void loop_inputs_advance(const LoopValue *value, PyObject *object, int64_t iterations);

#endif
