/* When a region retires, and when it rests. */
#ifndef DYNTRACE_REGION_RETIRE_H
#define DYNTRACE_REGION_RETIRE_H

#include "region/region.h"

enum { RETIRE_SAMPLED = 256 }; /* a resting region gets one call in so many */

/* Each int: 0, or -1 with an exception that was thrown into a callback from outside. */
int retire(Region *region, Cause cause);
int retire_after_deopt(Region *region, Cause cause);
int retire_after_miss(Region *region);
int retire_after_decline(Region *region);
int retire_end_rest(Region *region); /* after a call that was not declined */
bool retire_rest_is_over(Region *region); /* counts one skipped call */

#endif
