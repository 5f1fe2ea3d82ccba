/* Cutting a group into tiles. */
#ifndef DYNTRACE_VM_GROUP_CUT_H
#define DYNTRACE_VM_GROUP_CUT_H

#include "vm/group/group.h"
#include "vm/program/status.h"

Status cut_tiles(Group *group); /* FAILED: out of memory */
bool cut_is_placed(const Group *group); /* a loop is OFFSET_BOUND or WHOLE_LOOP */

#endif
