/* The axes of a group, coalesced as far as its operands in memory allow. */
#ifndef DYNTRACE_VM_GROUP_AXES_H
#define DYNTRACE_VM_GROUP_AXES_H

#include "vm/group/group.h"

typedef enum { OUTER, MIDDLE, INNER } AxisPart;

AxisPart axes_part(const Group *group, int axis); /* axes of different parts are not coalesced */
void axes_coalesce(Group *group);
int axes_inner_rank(const Group *group); /* how many of the coalesced axes the inner part has */
bool axes_have_rows(const Group *group); /* the inner ones coalesce into one */

#endif
