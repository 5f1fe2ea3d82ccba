/* Closing a group: decides how it runs. */
#ifndef DYNTRACE_VM_GROUP_FINISH_H
#define DYNTRACE_VM_GROUP_FINISH_H

#include "vm/group/group.h"
#include "vm/program/status.h"

Status finish_group(Group *group); /* UNPLANNED: the group has a `fault` */

#endif
