/* Checks of _native/os/arena.c, each run in a process of its own by tests/exec/test_arena.py. */
#define _GNU_SOURCE
#include "os/arena.h"

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "check.h"

#define KIB ((size_t)1 << 10)
#define MIB ((size_t)1 << 20)

/* Takes one and gives it back. */
static void *
visit(size_t bytes)
{
    void *block = arena_take(bytes);
    CHECK(block != NULL && (uintptr_t)block % 64 == 0);
    memset(block, 0xa5, bytes);
    arena_give(block, bytes);
    return block;
}

static void
blocks_come_back(void)
{
    for (size_t bytes = 0; bytes < 70 * KIB; bytes += 1 + bytes / 9) {
        CHECK(visit(bytes) == visit(bytes));
    }
    CHECK(visit(MIB) == visit(MIB) && visit(9 * MIB) == visit(9 * MIB));
    char *newer = arena_take(KIB), *older = arena_take(KIB);
    arena_give(older, KIB);
    arena_give(newer, KIB);
    CHECK(arena_take(KIB) == newer && arena_take(KIB) == older);
    arena_give(NULL, 0);
    arena_give(newer, KIB);
    arena_give(older, KIB);
    arena_trim(0);
    CHECK(arena_held() == 0);
}

static void
a_block_is_at_most_a_quarter_too_large(void)
{
    for (size_t bytes = 256; bytes < 100 * MIB; bytes += 1 + bytes / 13) {
        for (size_t near = bytes - 1; near <= bytes + 1; near++) {
            arena_trim(0);
            arena_give(arena_take(near), near);
            CHECK(arena_held() >= near && (arena_held() - near) * 4 <= near + 4);
        }
    }
    arena_trim(0);
}

static void
too_much_is_refused(void)
{
    CHECK(arena_take(SIZE_MAX) == NULL && arena_take(((size_t)1 << 46) + 1) == NULL);
    struct rlimit before, low = {512 * MIB, RLIM_INFINITY};
    getrlimit(RLIMIT_AS, &before);
    CHECK(setrlimit(RLIMIT_AS, &low) == 0);
    CHECK(arena_take(2048 * MIB) == NULL);
    setrlimit(RLIMIT_AS, &before);
    visit(MIB);
    CHECK(arena_held() == MIB);
    arena_trim(0);
}

/* Takes all, then gives all. */
static void
grow(size_t bytes, int count)
{
    void *blocks[400];
    for (int i = 0; i < count; i++) {
        blocks[i] = arena_take(bytes);
        CHECK(blocks[i] != NULL);
    }
    for (int i = 0; i < count; i++) {
        arena_give(blocks[i], bytes);
    }
}

static void
what_is_kept_is_bounded(void)
{
    grow(MIB, 400);
    CHECK(arena_held() == 128 * MIB);
    visit(200 * MIB);
    CHECK(arena_held() <= 128 * MIB);
    arena_trim(10 * MIB);
    CHECK(arena_held() <= 10 * MIB);
    arena_trim(0);
    CHECK(arena_held() == 0);
}

static void
taken_and_kept_exceed_what_was_taken_at_once_by_little(void)
{
    visit(40 * MIB);
    CHECK(arena_held() == 40 * MIB);
    void *other = arena_take(32 * MIB);
    CHECK(arena_held() <= 24 * MIB);
    arena_give(other, 32 * MIB);
    arena_trim(0);
    visit(8 * MIB);
    visit(6 * MIB); /* little enough for both */
    CHECK(arena_held() == 14 * MIB);
    arena_trim(0);
}

static void
unused_blocks_are_released_later(void)
{
    grow(MIB, 20);
    visit(KIB);
    CHECK(arena_held() > 20 * MIB);
    for (int second = 0; second < 13; second++) {
        sleep(1);
        for (int i = 0; i < 64; i++) {
            visit(KIB);
        }
    }
    CHECK(arena_held() == KIB);
    arena_trim(0);
}

/* Threads --------------------------------------------------------------------------------------*/

static size_t
size_of_turn(unsigned *seed)
{
    static const size_t sizes[] = {100, 3000, 3001, 40 * KIB, 700 * KIB, 5 * MIB};
    return sizes[rand_r(seed) % 6];
}

/* Holds some blocks at any time, each filled with its own number. */
static void *
churn(void *number)
{
    enum { HELD = 6 };
    unsigned seed = (unsigned)(uintptr_t)number;
    unsigned char *blocks[HELD] = {NULL};
    size_t sizes[HELD] = {0};
    for (int i = 0; i < ROUNDS(3000); i++) {
        int slot = i % HELD;
        size_t size = sizes[slot];
        unsigned char mark = (unsigned char)((uintptr_t)number * 16 + (unsigned)slot);
        CHECK(blocks[slot] == NULL || (blocks[slot][0] == mark && blocks[slot][size - 1] == mark));
        arena_give(blocks[slot], size);
        sizes[slot] = size_of_turn(&seed);
        blocks[slot] = arena_take(sizes[slot]);
        CHECK(blocks[slot] != NULL);
        blocks[slot][0] = blocks[slot][sizes[slot] - 1] = mark;
        if (i % 500 == 0) {
            arena_trim(MIB);
        }
    }
    for (int slot = 0; slot < HELD; slot++) {
        arena_give(blocks[slot], sizes[slot]);
    }
    return NULL;
}

static void
with_threads(void (*meanwhile)(void))
{
    pthread_t threads[4];
    for (uintptr_t i = 0; i < 4; i++) {
        CHECK(pthread_create(&threads[i], NULL, churn, (void *)(i + 1)) == 0);
    }
    meanwhile();
    for (int i = 0; i < 4; i++) {
        pthread_join(threads[i], NULL);
    }
    arena_trim(0);
    CHECK(arena_held() == 0);
}

static void
churn_too(void)
{
    churn((void *)5);
}

static void
many_threads(void)
{
    with_threads(churn_too);
}

static void
fork_repeatedly(void)
{
    for (int i = 0; i < ROUNDS(3000) / 100; i++) {
        pid_t child = fork();
        if (child == 0) {
            alarm(60);
            churn((void *)6);
            arena_trim(0);
            _exit(arena_held() != 0);
        }
        int status;
        CHECK(waitpid(child, &status, 0) == child && status == 0);
    }
}

static void
forked_while_others_take(void)
{
    with_threads(fork_repeatedly);
}

static void
what_is_given_within_a_limit_is_kept_within_it(void)
{
    void *blocks[6];
    for (int i = 0; i < 6; i++) {
        blocks[i] = arena_take(MIB);
    }
    for (int i = 0; i < 6; i++) {
        arena_give_within(blocks[i], MIB, 3 * MIB);
        CHECK(arena_held() <= 3 * MIB);
    }
    CHECK(arena_held() == 3 * MIB && arena_take(MIB) == blocks[5]);
    arena_give(blocks[5], MIB);
    arena_trim(0);
}

static const Check checks[] = {
    {"what_is_given_within_a_limit_is_kept_within_it", what_is_given_within_a_limit_is_kept_within_it},
    {"blocks_come_back", blocks_come_back},
    {"a_block_is_at_most_a_quarter_too_large", a_block_is_at_most_a_quarter_too_large},
    {"too_much_is_refused", too_much_is_refused},
    {"what_is_kept_is_bounded", what_is_kept_is_bounded},
    {"taken_and_kept_exceed_what_was_taken_at_once_by_little",
     taken_and_kept_exceed_what_was_taken_at_once_by_little},
    {"unused_blocks_are_released_later", unused_blocks_are_released_later},
    {"many_threads", many_threads},
    {"forked_while_others_take", forked_while_others_take},
};

int
main(int argc, char **argv)
{
    CHECK(arena_init() == 0);
    return run_named(checks, sizeof checks / sizeof *checks, argc, argv);
}
