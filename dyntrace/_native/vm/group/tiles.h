/* Running a group, tile by tile. */
#ifndef DYNTRACE_VM_GROUP_TILES_H
#define DYNTRACE_VM_GROUP_TILES_H

#include "vm/group/group.h"

/* The floating-point flags that were up in between and have been cleared by a loop. */
int tiles_run(const Group *group, char *const *bases, char *buffers, npy_intp threads);

#endif
