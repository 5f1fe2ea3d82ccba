/* The floating-point environment of a thread: modes go to another thread, its flags come back.

   Invariant: a computation in an adopted environment gives the bits and raises the flags that it
   would in the thread that saved it. On x86 this reads and writes the registers itself, since C's
   fegetenv takes ten times as long. Read pool.c for the use. */
#include "os/environment.h"

#ifdef ENVIRONMENT_SSE

#include <xmmintrin.h>

/* Invalid, denormal, divide, overflow, underflow, inexact: the same bits in MXCSR and in x87. */
enum { FLAGS = 0x3f };

void
environment_save(Environment *environment)
{
    environment->sse = _mm_getcsr() & ~(unsigned)FLAGS;
    __asm__ volatile("fnstcw %0" : "=m"(environment->x87));
}

void
environment_adopt(const Environment *environment)
{
    __asm__ volatile("fnclex");
    __asm__ volatile("fldcw %0" : : "m"(environment->x87));
    _mm_setcsr(environment->sse);
}

int
environment_flags(void)
{
    unsigned short x87;
    __asm__ volatile("fnstsw %0" : "=m"(x87));
    return (int)((_mm_getcsr() | x87) & FLAGS);
}

void
environment_set_flags(int flags)
{
    _mm_setcsr(_mm_getcsr() | (unsigned)flags);
}

unsigned
environment_clear(void)
{
    unsigned saved = _mm_getcsr();
    __asm__ volatile("fnclex"); /* what NumPy does before each operation: nobody misses them */
    _mm_setcsr(saved & ~(unsigned)FLAGS);
    return saved;
}

void
environment_restore(unsigned saved)
{
    __asm__ volatile("fnclex");
    _mm_setcsr(saved);
}

#else

void
environment_save(Environment *environment)
{
    fegetenv(environment);
}

void
environment_adopt(const Environment *environment)
{
    fesetenv(environment);
    feclearexcept(FE_ALL_EXCEPT);
}

int
environment_flags(void)
{
    return fetestexcept(FE_ALL_EXCEPT);
}

void
environment_set_flags(int flags)
{
    fenv_t modes;
    fegetenv(&modes);
    fesetenv(FE_DFL_ENV); /* enables no traps */
    feraiseexcept(flags);
    feupdateenv(&modes);
}

unsigned
environment_clear(void)
{
    unsigned saved = (unsigned)fetestexcept(FE_ALL_EXCEPT);
    feclearexcept(FE_ALL_EXCEPT);
    return saved;
}

void
environment_restore(unsigned saved)
{
    feclearexcept(FE_ALL_EXCEPT);
    environment_set_flags((int)saved);
}

#endif
