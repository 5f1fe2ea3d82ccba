/* The floating-point environment of a thread, carried to another one and its flags back.

   Invariant: what was computed under an adopted environment has the bits and the flags it would have
   had in the thread that saved it. C's fegetenv costs ten times as much on x86, hence the two ways. */
#include "os/environment.h"

#ifdef ENVIRONMENT_SSE

#include <xmmintrin.h>

enum { FLAGS = 0x3f }; /* invalid, denormal, divide, overflow, underflow, inexact; x87's are alike */

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
    fesetenv(FE_DFL_ENV); /* no trap is enabled there */
    feraiseexcept(flags);
    feupdateenv(&modes);
}

#endif
