/* The floating-point environment of a thread: rounding mode, flush-to-zero, exception flags. */
#ifndef DYNTRACE_ENVIRONMENT_H
#define DYNTRACE_ENVIRONMENT_H

#include <fenv.h>

#if defined(__SSE__) && (defined(__x86_64__) || defined(__i386__))
#define ENVIRONMENT_SSE
typedef struct {
    unsigned sse;       /* MXCSR without flags */
    unsigned short x87; /* control word */
} Environment;
#else
typedef fenv_t Environment;
#endif

void environment_save(Environment *environment);        /* the calling thread's */
void environment_adopt(const Environment *environment); /* modes as saved, no flag set */
int environment_flags(void);                            /* the flags set in the calling thread */
unsigned environment_clear(void);            /* clears the flags; what environment_restore takes */
void environment_restore(unsigned saved);               /* modes and flags as they were saved */
void environment_set_flags(int flags);                  /* raises these too; never traps */

enum { ENVIRONMENT_FLAGS = FE_DIVBYZERO | FE_OVERFLOW | FE_UNDERFLOW | FE_INVALID };

/* The value of fetestexcept(ENVIRONMENT_FLAGS), without the call. */
static inline int
environment_raised(void)
{
#if defined(__x86_64__) && defined(__GNUC__)
    unsigned short word;
    unsigned control;
    __asm__ volatile("fnstsw %0" : "=a"(word));
    __asm__ volatile("stmxcsr %0" : "=m"(control));
    return (word | (int)control) & ENVIRONMENT_FLAGS;
#else
    return fetestexcept(ENVIRONMENT_FLAGS);
#endif
}

#endif
