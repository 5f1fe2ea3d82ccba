/* Objects from the words that a loop's machine code leaves. */
#ifndef DYNTRACE_AHEAD_LOOP_OUTPUTS_H
#define DYNTRACE_AHEAD_LOOP_OUTPUTS_H

#include "ahead/loop_values.h"

bool loop_outputs_accept(const LoopValue *value); /* can an output be of this kind? */

/* A new reference, or NULL with an exception. `inputs` are the objects that the loop read, `built`
   holds the outputs before this one, as many as `done`. */
PyObject *loop_outputs_build(const LoopValue *value, int64_t *words, PyObject *const *inputs,
                             Py_ssize_t input_count, PyObject *built, Py_ssize_t done);

#endif
