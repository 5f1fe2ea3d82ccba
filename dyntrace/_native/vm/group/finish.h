/* Closing a group: how it is run is decided. */
#ifndef DYNTRACE_VM_GROUP_FINISH_H
#define DYNTRACE_VM_GROUP_FINISH_H

#include "vm/group/group.h"
#include "vm/program/status.h"

Status finish_group(Group *group); /* UNPLANNED with the group's `fault` */

#endif
