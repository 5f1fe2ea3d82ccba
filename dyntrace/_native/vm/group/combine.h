/* Combining the partial results of a reduction. */
#ifndef DYNTRACE_VM_GROUP_COMBINE_H
#define DYNTRACE_VM_GROUP_COMBINE_H

#include "vm/group/group.h"

void combine_parts(const Group *group, char *const *bases); /* only in the modes TREE and PARTS */
bool combine_is_robust(const char *total, int type); /* a real number, neither zero nor NaN */

#endif
