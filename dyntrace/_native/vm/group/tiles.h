/* Running a group, tile by tile. */
#ifndef DYNTRACE_VM_GROUP_TILES_H
#define DYNTRACE_VM_GROUP_TILES_H

#include "vm/group/group.h"

/* Returns the floating-point flags that a loop may have cleared; the others are still up. */
int tiles_run(const Group *group, char *const *bases, char *buffers, npy_intp threads);

#endif
