/* Raw memory for temporaries and new arrays, recycled across calls.

   arena_give keeps a block in the list of its size class; arena_take takes the most recent one from
   there. Sizes of classes differ by a fifth to a quarter. A second list holds all kept blocks by
   age. Its oldest blocks are released when too much is kept or when they were not reused for
   PATIENCE seconds.
   Invariants: kept blocks take at most KEPT bytes. Taken and kept blocks together take at most what
   was once taken at a time, plus ROOM. No thread calls the system while it holds the lock. Read
   vm/run.c for temporaries and vm/array/datamem.c for arrays. */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include "os/arena.h"

#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <time.h>

#define MIB ((size_t)1 << 20)

enum {
    ALIGNMENT = 64,
    SMALLEST_LOG = 8,    /* blocks of 256 bytes */
    LARGEST_LOG = 46,
    STEPS = 4,           /* classes per power of two */
    CLASSES = (LARGEST_LOG - SMALLEST_LOG) * STEPS + 1,
    PATIENCE = 10,       /* seconds a block is kept unused */
    GLANCES = 64,        /* blocks given between two looks at the clock */
};

/* To fill 128 MiB takes 5 ms in a kept block, 16 ms in a fresh one of huge pages, 65 ms in one of
   small pages. So the limit admits a temporary of ten million doubles. */
static const size_t KEPT = 128 * MIB;
static const size_t ROOM = 16 * MIB; /* for regions that run in turn with different sizes */
static const size_t LARGE = 4 * MIB; /* blocks of this size are mapped, smaller ones allocated */
static const size_t HUGE_PAGE = 2 * MIB;

typedef struct Link Link;
struct Link {
    Link *before, *after;
};

/* What stands in a kept block. */
typedef struct {
    Link age;   /* first: its address is the block's */
    Link peers; /* of the same class */
    size_t bytes;
    time_t since;
} Block;

static struct {
    atomic_flag locked;
    Link ages; /* a ring: the newest after it, the oldest before it */
    Link classes[CLASSES];
    size_t kept, taken, most_taken;
    time_t now;
    unsigned glances;
} arena = {.locked = ATOMIC_FLAG_INIT};

/* Rings ----------------------------------------------------------------------------------------*/

static void
make_ring(Link *ring)
{
    ring->before = ring->after = ring;
}

static void
put_after(Link *ring, Link *link)
{
    *link = (Link){ring, ring->after};
    ring->after->before = link;
    ring->after = link;
}

static void
take_out(Link *link)
{
    link->before->after = link->after;
    link->after->before = link->before;
}

/* The lock. A holder executes some ten instructions, and more only to take out blocks. */

static void
lock(void)
{
    while (atomic_flag_test_and_set_explicit(&arena.locked, memory_order_acquire)) {
        sched_yield();
    }
}

static void
unlock(void)
{
    atomic_flag_clear_explicit(&arena.locked, memory_order_release);
}

/* Size classes ---------------------------------------------------------------------------------*/

static unsigned
class_of(size_t bytes)
{
    if (bytes <= (size_t)1 << SMALLEST_LOG) {
        return 0;
    }
    unsigned log = 63 - (unsigned)__builtin_clzll(bytes - 1);
    unsigned step = (unsigned)((bytes - 1) >> (log - 2)) % STEPS;
    return (log - SMALLEST_LOG) * STEPS + step + 1;
}

static size_t
class_bytes(unsigned class)
{
    if (class == 0) {
        return (size_t)1 << SMALLEST_LOG;
    }
    unsigned log = SMALLEST_LOG + (class - 1) / STEPS;
    unsigned step = (class - 1) % STEPS;
    return (size_t)(STEPS + step + 1) << (log - 2);
}

/* The system -----------------------------------------------------------------------------------*/

/* Starts at a multiple of HUGE_PAGE, so that the block can be all huge pages. The end of the `used`
   bytes and what follows stay on small pages, which cost memory only when they are touched. */
static void *
map(size_t bytes, size_t used)
{
    size_t mapped = bytes + HUGE_PAGE;
    char *start = mmap(NULL, mapped, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (start == MAP_FAILED) {
        return NULL;
    }
    size_t before = (size_t)(-(uintptr_t)start % HUGE_PAGE);
    char *block = start + before;
    if (before > 0) {
        munmap(start, before);
    }
    munmap(block + bytes, HUGE_PAGE - before);
#ifdef MADV_HUGEPAGE
    madvise(block, used / HUGE_PAGE * HUGE_PAGE, MADV_HUGEPAGE);
#else
    (void)used;
#endif
    return block;
}

static void *
allocate(size_t bytes, size_t used)
{
    void *block;
    if (bytes >= LARGE) {
        return map(bytes, used);
    }
    return posix_memalign(&block, ALIGNMENT, bytes) == 0 ? block : NULL;
}

static void
release(void *block, size_t bytes)
{
    if (bytes >= LARGE) {
        munmap(block, bytes);
    }
    else {
        free(block);
    }
}

/* Kept blocks. All but release_all need the lock -----------------------------------------------*/

static void
keep(Block *block, unsigned class, size_t bytes)
{
    block->bytes = bytes;
    block->since = arena.now;
    put_after(&arena.ages, &block->age);
    put_after(&arena.classes[class], &block->peers);
    arena.kept += bytes;
}

static void
drop(Block *block)
{
    take_out(&block->age);
    take_out(&block->peers);
    arena.kept -= block->bytes;
}

static Block *
find(unsigned class)
{
    Link *first = arena.classes[class].after;
    if (first == &arena.classes[class]) {
        return NULL;
    }
    Block *block = (Block *)((char *)first - offsetof(Block, peers));
    drop(block);
    return block;
}

/* Moves the oldest blocks to `victims` until at most `limit` bytes are kept. */
static void
evict(size_t limit, Link *victims)
{
    while (arena.kept > limit) {
        Block *oldest = (Block *)arena.ages.before;
        drop(oldest);
        put_after(victims, &oldest->age);
    }
}

static void
evict_unused(Link *victims)
{
    while (arena.ages.before != &arena.ages) {
        Block *oldest = (Block *)arena.ages.before;
        if (arena.now - oldest->since <= PATIENCE) {
            break;
        }
        evict(arena.kept - 1, victims);
        arena.most_taken = arena.taken;
    }
}

static void
release_all(Link *victims)
{
    while (victims->after != victims) {
        Block *victim = (Block *)victims->after;
        take_out(&victim->age);
        release(victim, victim->bytes);
    }
}

/* Once per GLANCES calls reads the clock and moves blocks that were unused too long to
   `victims`. */
static void
glance(Link *victims)
{
    if (arena.glances++ % GLANCES == 0) {
        struct timespec now;
        clock_gettime(CLOCK_MONOTONIC_COARSE, &now);
        arena.now = now.tv_sec;
        evict_unused(victims);
    }
}

/* The bytes that may be kept beside the taken ones. */
static size_t
room(void)
{
    return arena.most_taken - arena.taken + ROOM;
}

static void
count_taken(size_t bytes)
{
    arena.taken += bytes;
    if (arena.taken > arena.most_taken) {
        arena.most_taken = arena.taken;
    }
}

/* The arena ------------------------------------------------------------------------------------*/

static void
forget_taken(size_t bytes)
{
    lock();
    arena.taken -= bytes;
    unlock();
}

void *
arena_take(size_t bytes)
{
    if (bytes > (size_t)1 << LARGEST_LOG) {
        return NULL;
    }
    Link victims;
    make_ring(&victims);
    unsigned class = class_of(bytes);
    size_t size = class_bytes(class);
    lock();
    void *block = find(class);
    count_taken(size);
    if (block == NULL) {
        evict(room(), &victims);
    }
    unlock();
    if (block == NULL) {
        release_all(&victims);
        block = allocate(size, bytes);
        if (block == NULL) {
            forget_taken(size);
        }
    }
    return block;
}

void
arena_give_within(void *block, size_t bytes, size_t limit)
{
    if (block == NULL) {
        return;
    }
    Link victims;
    make_ring(&victims);
    unsigned class = class_of(bytes);
    size_t size = class_bytes(class);
    lock();
    arena.taken -= size;
    glance(&victims);
    keep(block, class, size);
    evict(limit < KEPT ? limit : KEPT, &victims);
    unlock();
    release_all(&victims);
}

void
arena_give(void *block, size_t bytes)
{
    arena_give_within(block, bytes, KEPT);
}

size_t
arena_held(void)
{
    lock();
    size_t kept = arena.kept;
    unlock();
    return kept;
}

void
arena_trim(size_t limit)
{
    Link victims;
    make_ring(&victims);
    lock();
    evict(limit, &victims);
    arena.most_taken = arena.taken;
    unlock();
    release_all(&victims);
}

int
arena_init(void)
{
    make_ring(&arena.ages);
    for (unsigned class = 0; class < CLASSES; class++) {
        make_ring(&arena.classes[class]);
    }
    return pthread_atfork(lock, unlock, unlock) == 0 ? 0 : -1;
}
