/* Putting the results of the parts of a reduction together. */
#ifndef DYNTRACE_VM_GROUP_COMBINE_H
#define DYNTRACE_VM_GROUP_COMBINE_H

#include "vm/group/group.h"

void combine_parts(const Group *group, char *const *bases); /* nothing to do but in TREE and PARTS */
bool combine_is_robust(const char *total, int type); /* neither zero nor not a number */

#endif
