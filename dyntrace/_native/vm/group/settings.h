/* What tests and experiments force: DYNTRACE_TILE and DYNTRACE_THREADS_FROM. */
#ifndef DYNTRACE_VM_GROUP_SETTINGS_H
#define DYNTRACE_VM_GROUP_SETTINGS_H

#include "vm/array/numpy.h"

extern struct Settings {
    npy_intp tile;       /* elements of a tile, forced; 0: by working set */
    double threads_from; /* nanoseconds of work from which threads are woken */
    bool threads_forced; /* whether that was set from outside */
} settings;

void settings_init(void); /* from the environment */

#endif
