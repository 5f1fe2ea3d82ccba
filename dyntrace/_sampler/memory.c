/* Freed memory stays with the process of a program that is run.

   glibc gives large blocks, and a free top of the heap, back to the system, and each of their pages
   costs a fault when they come again: programs whose temporary arrays are some hundred kilobytes may
   spend most of their time on that. glibc's own thresholds grow with what a program frees, up to the
   one for blocks that is set here at once.
   Invariant: what the user has set in the environment is left as it is. See mallopt(3). */
#include "sampler.h"

#include <stdlib.h>
#include <string.h>

#if defined(__GLIBC__) && SIZE_MAX > UINT32_MAX
#include <malloc.h>

enum {
    LARGEST_BLOCK = 32 << 20, /* bytes; DEFAULT_MMAP_THRESHOLD_MAX, above which glibc refuses */
    LARGEST_TOP = 128 << 20,
};

static bool
is_set_by_user(void)
{
    const char *tunables = getenv("GLIBC_TUNABLES");
    return getenv("MALLOC_MMAP_THRESHOLD_") != NULL || getenv("MALLOC_TRIM_THRESHOLD_") != NULL
           || getenv("MALLOC_TOP_PAD_") != NULL || getenv("MALLOC_MMAP_MAX_") != NULL
           || (tunables != NULL && strstr(tunables, "glibc.malloc.") != NULL);
}

bool
memory_keep(void)
{
    return !is_set_by_user() && mallopt(M_MMAP_THRESHOLD, LARGEST_BLOCK)
           && mallopt(M_TRIM_THRESHOLD, LARGEST_TOP);
}

#else

bool
memory_keep(void)
{
    return false;
}

#endif
