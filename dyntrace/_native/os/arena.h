/* Raw memory, recycled across calls; knows nothing of Python. */
#ifndef DYNTRACE_ARENA_H
#define DYNTRACE_ARENA_H

#include <stddef.h>

/* Aligned to 64 bytes; from any thread, with or without the GIL. */
void *arena_take(size_t bytes);             /* NULL when out of memory; contents undefined */
void arena_give(void *block, size_t bytes); /* bytes as taken; NULL does nothing */
void arena_give_within(void *block, size_t bytes, size_t limit); /* and keep at most `limit` bytes */
size_t arena_held(void);                    /* bytes kept for reuse */
void arena_trim(size_t limit);              /* release kept blocks until at most `limit` are held */
int arena_init(void);                       /* once, before any other; -1: no memory */

#endif
