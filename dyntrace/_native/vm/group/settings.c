/* What tests and experiments force, read once from the environment: see docs/debugging.md.

   Invariant: settings change speed and the cutting into tiles, never a result. Read cut.c and
   vm/run.c for who asks. */
#include "vm/group/settings.h"

#include <stdlib.h>

enum { LARGEST_TILE = 1 << 24 };

struct Settings settings = {.threads_from = 60e3};

void
settings_init(void)
{
    const char *tile = getenv("DYNTRACE_TILE"), *from = getenv("DYNTRACE_THREADS_FROM");
    npy_intp elements = tile != NULL ? (npy_intp)atol(tile) : 0;
    settings.tile = elements < LARGEST_TILE ? elements : LARGEST_TILE;
    settings.threads_forced = from != NULL;
    settings.threads_from = settings.threads_forced ? atof(from) : settings.threads_from;
}
