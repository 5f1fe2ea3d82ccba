/* Which micro-operations may run short lines column by column. */
#ifndef DYNTRACE_VM_PLAN_COLUMNS_H
#define DYNTRACE_VM_PLAN_COLUMNS_H

#include "vm/plan/plan.h"

void columns_find(const Plan *plan, Group *group);

#endif
