/* What a loop's machine code overwrote in its last iteration, and memory for its temporaries.

   Invariant: the process has one of each, which belong to the one run at a time that there is:
   machine code runs under the GIL and calls no Python. They are allocated when first asked for, and
   the system gives pages to what is written only. Read loop_program.c for the use. */
#include "ahead/undo.h"

#include <stdlib.h>
#include <string.h>

enum { ADDRESS_BITS = 58 };

static UndoEntry *entries;
static char *scratch;

UndoEntry *
undo_log(void)
{
    if (entries == NULL) {
        entries = malloc(UNDO_CAPACITY * sizeof *entries);
    }
    return entries;
}

char *
undo_scratch(void)
{
    if (scratch == NULL) {
        scratch = aligned_alloc(64, SCRATCH_BYTES);
    }
    return scratch;
}

void
undo_release(void)
{
    free(entries);
    entries = NULL;
}

static void
put_back(char *address, uint64_t old, unsigned size)
{
    switch (size) {
    case 0: {
        uint8_t value = (uint8_t)old;
        memcpy(address, &value, sizeof value);
        return;
    }
    case 1: {
        uint16_t value = (uint16_t)old;
        memcpy(address, &value, sizeof value);
        return;
    }
    case 2: {
        uint32_t value = (uint32_t)old;
        memcpy(address, &value, sizeof value);
        return;
    }
    case 3:
        memcpy(address, &old, sizeof old);
        return;
    }
}

void
undo_play_back(const UndoEntry *log, int64_t count)
{
    const uint64_t address_mask = ((uint64_t)1 << ADDRESS_BITS) - 1;
    for (int64_t i = count - 1; i >= 0; i--) {
        put_back((char *)(uintptr_t)(log[i].where & address_mask), log[i].old,
                 (unsigned)(log[i].where >> ADDRESS_BITS));
    }
}
