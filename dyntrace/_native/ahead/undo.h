/* What a loop's machine code overwrote in its last iteration. */
#ifndef DYNTRACE_AHEAD_UNDO_H
#define DYNTRACE_AHEAD_UNDO_H

#include <stdint.h>

/* Machine code writes these: the address in the low 58 bits, log2 of the size in bytes (0 to 3)
   above them; the bytes that stood there are the low ones of `old`. A row is its bytes, in as many
   entries as they fill, and an entry with 4 in the place of the size and their number in `old`. */
typedef struct {
    uint64_t where;
    uint64_t old;
} UndoEntry;

enum { UNDO_CAPACITY = 1 << 18, SCRATCH_BYTES = 1024 * 1024 };

UndoEntry *undo_log(void); /* UNDO_CAPACITY entries; NULL without an exception: no memory */
char *undo_scratch(void);  /* SCRATCH_BYTES; NULL without an exception: no memory */
void undo_release(void);   /* gives the memory of the log back to the system */
void undo_play_back(const UndoEntry *log, int64_t count); /* newest first */

/* For machine code: the new count, or -1 if the log is full. `size_code` is log2 of an item's size
   in bytes. */
int64_t undo_log_row(UndoEntry *log, int64_t count, int64_t capacity, const char *row,
                     int64_t stride, int64_t length, int64_t size_code);

#endif
