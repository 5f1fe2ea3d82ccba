/* The axes of a group, coalesced as far as its operands in memory allow. */
#ifndef DYNTRACE_VM_GROUP_AXES_H
#define DYNTRACE_VM_GROUP_AXES_H

#include "vm/group/group.h"

/* The part of the group that an axis belongs to. ROWS: the inner axes are a row. COLUMNS: the
   middle axes are reduced, and the inner ones are a line. Other groups have inner axes alone. */
typedef enum { OUTER, MIDDLE, INNER } AxisPart;

AxisPart axes_part(const Group *group, int axis); /* axes of different parts are not coalesced */
void axes_coalesce(Group *group);
int axes_inner_rank(const Group *group); /* the number of coalesced inner axes */
bool axes_have_rows(const Group *group); /* whether the inner axes coalesce into one, or none */

#endif
