/* Getters for what a region has counted. */
#ifndef DYNTRACE_REGION_COUNTERS_H
#define DYNTRACE_REGION_COUNTERS_H

#include <Python.h>

PyObject *counters_runs(PyObject *self, void *closure);
PyObject *counters_replays(PyObject *self, void *closure);
PyObject *counters_losses(PyObject *self, void *closure);

#endif
