/* Raw memory, recycled across calls. Needs nothing of Python; arena.c says how it works. */
#ifndef DYNTRACE_ARENA_H
#define DYNTRACE_ARENA_H

#include <stddef.h>

/* Blocks are aligned to 64 bytes. Any thread may call, with or without the GIL. */
void *arena_take(size_t bytes);             /* NULL when out of memory; contents undefined */
void arena_give(void *block, size_t bytes); /* bytes as taken; NULL does nothing */
/* Gives the block, then keeps at most `limit` bytes. */
void arena_give_within(void *block, size_t bytes, size_t limit);
size_t arena_held(void);                    /* bytes kept for reuse */
void arena_trim(size_t limit);              /* release kept blocks until at most `limit` are held */
int arena_init(void);                       /* call once, before the others; -1: no memory */

#endif
