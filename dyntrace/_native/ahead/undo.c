/* What a loop's machine code overwrote in its last iteration, and memory for its temporaries.

   Invariant: the process has one of each, which belong to the one run at a time that there is:
   machine code runs under the GIL and calls no Python. They are allocated when first asked for, and
   the system gives pages to what is written only. Read loop_program.c for the use. */
#include "ahead/undo.h"

#include <stdlib.h>
#include <string.h>

enum { ADDRESS_BITS = 58, ROW = 4 };

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

/* The entries that hold `bytes` of a row. */
static int64_t
entries_for(uint64_t bytes)
{
    return (int64_t)((bytes + sizeof(UndoEntry) - 1) / sizeof(UndoEntry));
}

/* Logs a row before it is overwritten, its items `stride` bytes apart: their bytes, then an entry
   that says how many and where. Rows with gaps are logged item by item. */
int64_t
undo_log_row(UndoEntry *log, int64_t count, int64_t capacity, const char *row, int64_t stride,
             int64_t length, int64_t size_code)
{
    int64_t size = (int64_t)1 << size_code;
    if (stride != size) {
        if (length > capacity - count) {
            return -1;
        }
        for (int64_t i = 0; i < length; i++) {
            UndoEntry *entry = &log[count++];
            const char *item = row + i * stride;
            entry->where = (uint64_t)(uintptr_t)item | (uint64_t)size_code << ADDRESS_BITS;
            entry->old = 0;
            memcpy(&entry->old, item, (size_t)size);
        }
        return count;
    }
    uint64_t bytes = (uint64_t)(length * size);
    int64_t needed = entries_for(bytes) + 1;
    if (needed > capacity - count) {
        return -1;
    }
    memcpy(&log[count], row, bytes);
    count += needed;
    log[count - 1].where = (uint64_t)(uintptr_t)row | (uint64_t)ROW << ADDRESS_BITS;
    log[count - 1].old = bytes;
    return count;
}

void
undo_play_back(const UndoEntry *log, int64_t count)
{
    const uint64_t address_mask = ((uint64_t)1 << ADDRESS_BITS) - 1;
    for (int64_t i = count - 1; i >= 0; i--) {
        char *address = (char *)(uintptr_t)(log[i].where & address_mask);
        unsigned kind = (unsigned)(log[i].where >> ADDRESS_BITS);
        if (kind == ROW) {
            uint64_t bytes = log[i].old;
            i -= entries_for(bytes);
            memcpy(address, &log[i], bytes);
        }
        else {
            put_back(address, log[i].old, kind);
        }
    }
}
