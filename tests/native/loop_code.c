/* Stands for the machine code of loops: what tests of LoopProgram call. */
#include <stdint.h>
#include <string.h>

typedef struct {
    uint64_t where;
    uint64_t old;
} Entry;

typedef struct {
    Entry *undo;
    int64_t capacity;
    int64_t count;
    const void *breaker;
    int64_t flags;
    const void *const *functions;
    char *scratch;
    int64_t scratch_size;
    int64_t reserved[4];
} Context;

/* In: iterations, site, number of words, words. Out: those words. */
int64_t
repeat(const int64_t *in, int64_t *out, Context *context)
{
    (void)context;
    out[0] = in[0];
    memcpy(out + 1, in + 3, (size_t)in[2] * sizeof *in);
    return in[1];
}

/* In: a range, a sum so far, where to stop. Out: the sum, the last item. The item to stop at is
   trouble at site 2, something pending is trouble at site 1. */
int64_t
add_up(const int64_t *in, int64_t *out, Context *context)
{
    int64_t item = in[0], left = in[2], site = 0;
    out[0] = 0;
    out[1] = in[3];
    out[2] = 0;
    for (; left > 0; left--, item += in[1]) {
        if (*(const volatile unsigned char *)context->breaker != 0) {
            site = 1;
            break;
        }
        if (item == in[4]) {
            site = 2;
            break;
        }
        out[0]++;
        out[1] += item;
        out[2] = item;
    }
    return site;
}

static void
store(Context *context, char *address, const void *value, unsigned log)
{
    Entry *entry = &context->undo[context->count++];
    entry->where = (uint64_t)(uintptr_t)address | (uint64_t)log << 58;
    entry->old = 0xAAAAAAAAAAAAAAAA; /* what is above the old bytes is not defined */
    memcpy(&entry->old, address, (size_t)1 << log);
    memcpy(address, value, (size_t)1 << log);
}

/* In: an array of bytes, iterations, site. The last iteration is not done: it writes items of each
   size over one another, from the second byte on. */
int64_t
overwrite(const int64_t *in, int64_t *out, Context *context)
{
    char *address = (char *)(intptr_t)in[0];
    const uint64_t values[] = {~(uint64_t)0, 0x0102030405060708};
    for (int round = 0; round < 2; round++) {
        for (unsigned log = 0; log < 4; log++) {
            store(context, address + 1 + round, &values[round], log);
            store(context, address + 1, &values[1 - round], 3 - log);
        }
    }
    out[0] = in[4];
    return in[5];
}

/* In: a vector of doubles, site. The last iteration is not done: it logs the vector by the first
   function, twice with the first item in between, and overwrites it. */
int64_t
overwrite_row(const int64_t *in, int64_t *out, Context *context)
{
    int64_t (*log_row)(Entry *, int64_t, int64_t, const char *, int64_t, int64_t, int64_t);
    memcpy(&log_row, context->functions, sizeof log_row);
    char *row = (char *)(intptr_t)in[0];
    for (int round = 0; round < 2; round++) {
        int64_t count = log_row(context->undo, context->count, context->capacity, row, in[3],
                                in[2], 3);
        out[0] = count;
        if (count < 0) {
            return 1;
        }
        context->count = count;
        for (int64_t i = 0; i < in[2]; i++) {
            double value = (double)(round + i + 1) * 0.5;
            if (i == 0) {
                store(context, row, &value, 3);
            }
            memcpy(row + i * in[3], &value, sizeof value);
        }
    }
    out[0] = 0;
    return in[4];
}

/* In: the index of a word. Out: the word of the context, and the byte that `breaker` points to. */
int64_t
look(const int64_t *in, int64_t *out, Context *context)
{
    out[0] = 1;
    memcpy(&out[1], (const int64_t *)context + in[0], sizeof *out);
    out[2] = *(const unsigned char *)context->breaker;
    return 0;
}

/* In: a number. Out: what the first function gives for it; writes all of the scratch memory. */
int64_t
call(const int64_t *in, int64_t *out, Context *context)
{
    double value, (*function)(double);
    memcpy(&value, in, sizeof value);
    memcpy(&function, context->functions, sizeof function);
    value = function(value);
    memset(context->scratch, 0x55, (size_t)context->scratch_size);
    memset(context->undo, 0x55, (size_t)context->capacity * sizeof *context->undo);
    out[0] = 1;
    memcpy(out + 1, &value, sizeof value);
    return 0;
}

#if defined(__x86_64__)
#include <xmmintrin.h>

/* Out: the modes and flags at the beginning. Raises all flags. */
int64_t
raise_flags(const int64_t *in, int64_t *out, Context *context)
{
    (void)in;
    (void)context;
    out[0] = 1;
    out[1] = _mm_getcsr();
    _mm_setcsr(_mm_getcsr() | 0x3f);
    return 0;
}

/* The modes and flags of the calling thread. */
unsigned
control(void)
{
    return _mm_getcsr();
}

void
set_control(unsigned word)
{
    _mm_setcsr(word);
}
#endif
