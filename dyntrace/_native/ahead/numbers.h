/* Arithmetic of Python's numbers that is more than an instruction, for machine code. */
#ifndef DYNTRACE_AHEAD_NUMBERS_H
#define DYNTRACE_AHEAD_NUMBERS_H

#include <stdint.h>

/* Those that return a double return NaN for trouble, which includes each result that is NaN. Those
   that return an integer return 1, or 0 for trouble. Divisors are not zero where not said. */
double numbers_float_pow(double base, double exponent);
double numbers_float_mod(double value, double divisor);
double numbers_float_floordiv(double value, double divisor);
double numbers_math_pow(double base, double exponent); /* math.pow */
double numbers_math_log1p(double value);
double numbers_round_to_even(double value);
double numbers_round_digits(double value, int64_t digits); /* trouble if `digits` is negative */
double numbers_int_truediv(int64_t value, int64_t divisor);
int64_t numbers_int_pow(int64_t base, int64_t exponent, int64_t *result);
double numbers_complex_abs(double real, double imag);
int64_t numbers_complex_div(double real, double imag, double divisor_real, double divisor_imag,
                            double *result); /* trouble if the divisor is zero */

#endif
