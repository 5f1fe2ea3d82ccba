/* Arithmetic of Python's numbers that is more than an instruction, for machine code.

   Invariant: the bits are those of CPython, from Objects/floatobject.c, longobject.c and
   complexobject.c, and Modules/mathmodule.c; they are the same from 3.11 to 3.13. Where CPython
   raises, returns a number of another type, or NaN, there is trouble. Nothing here needs the GIL.
   Read loop_functions.c for the names. */
#include "ahead/numbers.h"

#include <errno.h>
#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>

static bool
is_odd(double value)
{
    return fmod(fabs(value), 2.0) == 1.0;
}

/* A finite number, neither zero nor negative nor one, to a finite power that is not zero. */
static double
finite_pow(double base, double exponent)
{
    double result = pow(base, exponent);
    return isinf(result) ? NAN : result;
}

/* The powers of infinity and zero, and infinite powers. */
static double
special_pow(double base, double exponent)
{
    if (isinf(exponent)) {
        double size = fabs(base);
        return size == 1.0 ? 1.0 : (exponent > 0.0) == (size > 1.0) ? INFINITY : 0.0;
    }
    if (base == 0.0 && exponent < 0.0) {
        return NAN;
    }
    double result = exponent > 0.0 ? fabs(base) : 0.0;
    return is_odd(exponent) ? copysign(result, base) : result;
}

double
numbers_float_pow(double base, double exponent)
{
    if (exponent == 0.0) {
        return 1.0;
    }
    if (isnan(base) || isnan(exponent)) {
        return base == 1.0 ? 1.0 : NAN;
    }
    if (isinf(base) || isinf(exponent) || base == 0.0) {
        return special_pow(base, exponent);
    }
    bool negative = false;
    if (base < 0.0) {
        if (exponent != floor(exponent)) {
            return NAN; /* complex */
        }
        base = -base;
        negative = is_odd(exponent);
    }
    double result = base == 1.0 ? 1.0 : finite_pow(base, exponent);
    return negative ? -result : result;
}

/* As math.pow: like C99's, but it raises where C99 sets a flag for invalid, divide or overflow. */
double
numbers_math_pow(double base, double exponent)
{
    double result = pow(base, exponent);
    return isinf(result) && isfinite(base) && isfinite(exponent) ? NAN : result;
}

double
numbers_math_log1p(double value)
{
    return value == 0.0 ? value : log1p(value);
}

double
numbers_float_mod(double value, double divisor)
{
    double rest = fmod(value, divisor);
    if (rest == 0.0) {
        return copysign(0.0, divisor);
    }
    return (divisor < 0) != (rest < 0) ? rest + divisor : rest;
}

double
numbers_float_floordiv(double value, double divisor)
{
    double rest = fmod(value, divisor);
    double quotient = (value - rest) / divisor;
    if (rest != 0.0 && (divisor < 0) != (rest < 0)) {
        quotient -= 1.0;
    }
    if (quotient == 0.0) {
        return copysign(0.0, value / divisor);
    }
    double whole = floor(quotient);
    return quotient - whole > 0.5 ? whole + 1.0 : whole;
}

double
numbers_round_to_even(double value)
{
    double rounded = round(value);
    return fabs(value - rounded) == 0.5 ? 2.0 * round(value / 2.0) : rounded;
}

/* A double has at most 323 digits that count, and 309 before the point. */
enum { MOST_DIGITS = 323, TEXT_BYTES = 309 + MOST_DIGITS + 8 };

/* CPython goes through decimal text too. The C library's conversions are exact in both directions,
   as CPython's are, in the default rounding mode. */
double
numbers_round_digits(double value, int64_t digits)
{
    if (!isfinite(value) || digits > MOST_DIGITS) {
        return value;
    }
    if (digits < 0) {
        return NAN;
    }
    char text[TEXT_BYTES];
    snprintf(text, sizeof text, "%.*f", (int)digits, value);
    double rounded = strtod(text, NULL);
    return isinf(rounded) ? NAN : rounded;
}

#ifdef __SIZEOF_INT128__

/* The quotient of two positive numbers, half-way cases to even whatever the rounding mode: to 55
   bits at least, whose last one tells whether anything was cut off, and from there to 53. */
static double
long_division(uint64_t value, uint64_t divisor)
{
    int shift = 55 + __builtin_clzll(value) - __builtin_clzll(divisor);
    shift = shift < 0 ? 0 : shift;
    unsigned __int128 scaled = (unsigned __int128)value << shift;
    uint64_t quotient = (uint64_t)(scaled / divisor);
    quotient |= scaled % divisor != 0;
    int extra = 11 - __builtin_clzll(quotient);
    uint64_t half = (uint64_t)1 << (extra - 1), rest = quotient & (2 * half - 1);
    quotient >>= extra;
    quotient += rest > half || (rest == half && (quotient & 1));
    return ldexp((double)quotient, extra - shift);
}

#else

static double
long_division(uint64_t value, uint64_t divisor)
{
    (void)value;
    (void)divisor;
    return NAN;
}

#endif

static uint64_t
magnitude(int64_t value)
{
    return value < 0 ? -(uint64_t)value : (uint64_t)value;
}

double
numbers_int_truediv(int64_t value, int64_t divisor)
{
    const uint64_t exact = (uint64_t)1 << 53;
    uint64_t above = magnitude(value), below = magnitude(divisor);
    if (above <= exact && below <= exact) {
        return (double)value / (double)divisor;
    }
    double quotient = long_division(above, below);
    return (value < 0) != (divisor < 0) ? -quotient : quotient;
}

int64_t
numbers_int_pow(int64_t base, int64_t exponent, int64_t *result)
{
    int64_t power = 1;
    bool fits = exponent >= 0;
    while (fits && exponent > 0) {
        if (exponent & 1) {
            fits = !__builtin_mul_overflow(power, base, &power);
        }
        exponent >>= 1;
        if (fits && exponent > 0) {
            fits = !__builtin_mul_overflow(base, base, &base);
        }
    }
    *result = power;
    return fits;
}

double
numbers_complex_abs(double real, double imag)
{
    if (isinf(real) || isinf(imag)) {
        return INFINITY;
    }
    double result = hypot(real, imag);
    return isinf(result) ? NAN : result;
}

/* By R. L. Smith, Communications of the ACM, algorithm 116, as CPython does it. */
int64_t
numbers_complex_div(double real, double imag, double divisor_real, double divisor_imag,
                    double *result)
{
    double size_real = fabs(divisor_real), size_imag = fabs(divisor_imag);
    if (size_real >= size_imag) {
        if (size_real == 0.0) {
            return 0;
        }
        double ratio = divisor_imag / divisor_real;
        double below = divisor_real + divisor_imag * ratio;
        result[0] = (real + imag * ratio) / below;
        result[1] = (imag - real * ratio) / below;
    }
    else if (size_imag >= size_real) {
        double ratio = divisor_real / divisor_imag;
        double below = divisor_real * ratio + divisor_imag;
        result[0] = (real * ratio + imag) / below;
        result[1] = (imag * ratio - real) / below;
    }
    else {
        result[0] = result[1] = NAN;
    }
    return 1;
}
