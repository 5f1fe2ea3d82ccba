/* What tests and experiments force: DYNTRACE_TILE and DYNTRACE_THREADS_FROM. */
#ifndef DYNTRACE_VM_GROUP_SETTINGS_H
#define DYNTRACE_VM_GROUP_SETTINGS_H

#include "vm/array/numpy.h"

extern struct Settings {
    npy_intp tile;       /* forced elements of a tile; 0: cut.c decides */
    double threads_from; /* nanoseconds of work from which a call wakes threads */
    bool threads_forced; /* whether the environment sets threads_from */
} settings;

void settings_init(void); /* from the environment */

#endif
