/* Buffers for the results that stay in a tile. */
#ifndef DYNTRACE_VM_GROUP_BUFFERS_H
#define DYNTRACE_VM_GROUP_BUFFERS_H

#include "vm/group/group.h"
#include "vm/program/status.h"

Status buffers_place(Group *group); /* FAILED: out of memory */

#endif
