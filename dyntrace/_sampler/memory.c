/* Memory: under `run`, memory that the program frees stays with its process.

   glibc returns large blocks and the free top of the heap to the kernel, and each page faults when
   it is used again. Programs whose temporary arrays have some hundred kilobytes may spend most of
   their time on such faults. glibc raises both thresholds by itself when a program frees large
   blocks (M_MMAP_THRESHOLD in mallopt(3)); this sets them to the most that it would reach.
   Invariant: settings of the user's in the environment take precedence. */
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
