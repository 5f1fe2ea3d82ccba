"""Python's integers, floats and their functions: unbounded, exact, and with their own errors."""

import cmath
import math

import numpy as np
import pytest

from tests.scenarios.loops.hot import PASSES, TROUBLE, hot, hot_then

EDGES = [0, 1, 2**31 - 1, 2**31, 2**32, 2**62, 2**63 - 1, 2**63, 2**64, 2**100]
SIGNED = [sign * edge + by for edge in EDGES for sign in (1, -1) for by in (-2, -1, 0, 1)]


@pytest.mark.parametrize("edge", EDGES)
@pytest.mark.parametrize("sign", [1, -1])
def test_a_count_that_passes_an_edge_of_the_machine_word(edge, sign):
    def program(start, n, step):
        s = start
        for _ in range(n):
            s += step
        for _ in range(n):
            s = s - 1
        return s

    hot(program, sign * edge - 1000, 2000, 1)
    hot(program, sign * edge + 1000, 2000, -1)


def test_products_and_powers_grow_beyond_the_machine_word():
    def program(n):
        p, q, f = 1, -1, 1
        for i in range(1, n):
            p *= 2
            q *= -3
            f = f * i if i < 40 else f // 2 + i
        return p, q, f

    hot(program, 200)
    hot(program, 63)
    hot(program, 64)
    hot(program, 65)


def test_big_integers_in_the_middle_that_become_small_again():
    def program(n, trouble):
        s = 0
        for i in range(n):
            s += i
            if i % trouble == 0:
                s = s * 2**80 + 12345
                s //= 2**80
        return s

    hot(program, PASSES, TROUBLE)
    hot(program, PASSES, 10)


def test_the_lowest_integer_and_its_opposite():
    def program(n, low):
        s = 0
        for i in range(n):
            x = low + i % 2
            s += x // -1 + -x - abs(x) + (low // -1) % 7 + divmod(x, -1)[1]
        return s

    hot(program, PASSES, -(2**63))
    hot(program, PASSES, -(2**31))


@pytest.mark.parametrize("divisor", [7, -7, 1, -1, 2**31, 2**63, -(2**63)])
def test_floor_division_and_remainder_of_either_sign(divisor):
    def program(numbers, divisor, n):
        s = 0
        for i in range(n):
            x = numbers[i % len(numbers)]
            q, r = divmod(x, divisor)
            s = (s * 31 + x // divisor + x % divisor + q - r) % 1_000_003
            s += x // (i - n - 1) - x % (i + 1)
        return s

    hot(program, SIGNED, divisor, PASSES)
    hot(program, list(range(-50, 50)), divisor, PASSES)


def test_floor_division_and_remainder_of_floats():
    def program(numbers, n):
        kept = []
        s = 0.0
        for i in range(n):
            x = numbers[i % len(numbers)]
            for d in (2.0, -2.0, 0.1, 3, float("inf"), float("-inf")):
                s = s * 0.5 + (x % d if x % d < 10 else 0.0)
                if i < 40:
                    kept += [x // d, x % d, divmod(x, d)]
        return s, kept

    numbers = [0.0, -0.0, 1.0, -1.0, 5.5, -5.5, 1e300, -1e-300, float("inf"), float("nan"), 0.3]
    hot(program, numbers, 600)


ZEROS = [(sign, zero) for sign in ("//", "%", "/") for zero in (0, 0.0, False)] + [("/", 0j)]


@pytest.mark.parametrize("operator, zero", ZEROS)
def test_a_division_by_zero_in_one_pass_raises(operator, zero):
    program = DIVISIONS[operator]
    hot(program, zero, PASSES, TROUBLE, np.zeros(PASSES))
    hot(program, zero, PASSES, -1, np.zeros(PASSES))


def floor_divisions(zero, n, trouble, out):
    for i in range(n):
        d = zero if i == trouble else i + 1
        out[i] = 1.0
        out[i] = (n * 3) // d
    return out


def remainders(zero, n, trouble, out):
    for i in range(n):
        d = zero if i == trouble else i + 1
        out[i] = 1.0
        out[i] = (n * 3) % d
    return out


def divisions(zero, n, trouble, out):
    for i in range(n):
        d = zero if i == trouble else i + 1
        out[i] = 1.0
        out[i] = abs((n * 3) / d)
    return out


DIVISIONS = {"//": floor_divisions, "%": remainders, "/": divisions}


def test_a_division_by_zero_that_the_program_catches():
    def program(n, every):
        s, caught = 0, 0
        for i in range(n):
            try:
                s += 1000 // (i % every)
            except ZeroDivisionError as error:
                caught += len(str(error))
        return s, caught

    hot(program, PASSES, TROUBLE)
    hot(program, PASSES, 2)
    hot(program, PASSES, 1)


def test_shifts_of_any_width():
    def program(numbers, n):
        s = 0
        for i in range(n):
            x = numbers[i % len(numbers)]
            k = i % 130
            s ^= (x << k) ^ (x >> k) ^ (1 << (k % 64)) ^ (-1 >> k)
            s &= 2**200 - 1
        return s

    hot(program, SIGNED, PASSES)
    hot(program, list(range(-50, 50)), PASSES)


@pytest.mark.parametrize("width", [-1, 64, 63, 2**70])
def test_one_odd_shift_in_the_middle(width):
    def program(n, trouble, width):
        s = 0
        for i in range(n):
            k = width if i == trouble else i % 8
            s += i >> k
            if k < 1000:
                s ^= i << k
        return s

    hot(program, PASSES, TROUBLE, width)
    hot(program, PASSES, -1, width)


def test_bit_operations_of_either_sign():
    def program(numbers, n):
        s = 0
        for i in range(n):
            x, y = numbers[i % len(numbers)], numbers[i * 7 % len(numbers)]
            s = (s ^ (x & y) ^ (x | ~y)) + (x ^ y).bit_length() + (x & 0xFF)
            s &= 0xFFFFFFFF
        return s

    hot(program, SIGNED, PASSES)
    hot(program, list(range(-50, 50)), PASSES)


def test_hashes_in_32_and_in_64_bits():
    def program(n):
        fnv, xorshift, adler = 0x811C9DC5, 88172645463325252, 1
        for i in range(n):
            fnv = ((fnv ^ (i & 0xFF)) * 0x01000193) & 0xFFFFFFFF
            xorshift ^= (xorshift << 13) & 0xFFFFFFFFFFFFFFFF
            xorshift ^= xorshift >> 7
            xorshift ^= (xorshift << 17) & 0xFFFFFFFFFFFFFFFF
            adler = (adler + fnv) % 65521
        return fnv, xorshift, adler

    hot(program, PASSES)


def test_a_linear_congruential_generator_with_big_products():
    def program(n, seed):
        x, hits = seed, 0
        for _ in range(n):
            x = (x * 6364136223846793005 + 1442695040888963407) % 2**64
            hits += x / 2**64 < 0.5
        return x, hits

    hot(program, PASSES, 42)


@pytest.mark.parametrize("exponent", [0, 1, 2, 3, -1, -2, 63, 0.5, -0.5, 2.0])
def test_powers_of_ints_and_floats(exponent):
    def program(numbers, exponent, n):
        kept = []
        for i in range(n):
            x = numbers[i % len(numbers)]
            p = x**exponent
            if i % 37 == 0:
                kept.append((p, type(p)))
        return kept, p

    hot(program, [1, 2, 3, -2, 5], exponent, PASSES)
    hot(program, [1.0, 0.5, -8.0, 1e10, 3.3], exponent, PASSES)
    hot(program, [True, 7, 2.5], exponent, PASSES)


@pytest.mark.parametrize(
    "base, exponent", [(0, -1), (0.0, -1), (-8.0, 0.5), (10.0, 400), (-1, 0.5)]
)
def test_a_power_that_fails_or_leaves_the_reals_in_one_pass(base, exponent):
    def program(n, trouble, base, exponent):
        s = 0
        for i in range(n):
            b, e = (base, exponent) if i == trouble else (1.5, 2)
            s = s + b**e
        return s, type(s)

    hot(program, PASSES, TROUBLE, base, exponent)


def test_powers_by_a_modulus():
    def program(n, m):
        s = 0
        for i in range(n):
            s += pow(i, 3, m) + pow(3, i % 50, m)
        return s

    hot(program, PASSES, 1_000_003)


@pytest.mark.parametrize(
    "odd", [1e300, float("nan"), float("inf"), 2.0**63, -(2.0**63), -0.5, 2.0**31, "7", None, 3j]
)
def test_conversions_to_int_of_an_odd_value_in_one_pass(odd):
    def program(n, trouble, odd):
        s = 0
        for i in range(n):
            x = odd if i == trouble else i * 0.75
            s += int(x)
        return s

    hot(program, PASSES, TROUBLE, odd)


def test_rounding_and_flooring():
    def program(numbers, n):
        kept = []
        s = 0
        for i in range(n):
            x = numbers[i % len(numbers)] + i // len(numbers)
            s += round(x) + math.floor(x) - math.ceil(x) + math.trunc(x) + int(x)
            if i < 30:
                kept += [round(x), round(x, 1), round(x, -1), math.floor(x), x.is_integer()]
        return s, kept

    hot(program, [0.5, 1.5, 2.5, -0.5, -1.5, 2.675, 1e15 + 0.5, -0.0], PASSES)
    hot(program, [0, 5, -15, 2**60], PASSES)


@pytest.mark.parametrize("odd", [float("nan"), float("inf"), -float("inf")])
def test_rounding_what_has_no_integer(odd):
    def program(n, trouble, odd):
        s = 0
        for i in range(n):
            s += round(odd if i == trouble else i * 0.5)
        return s

    hot(program, PASSES, TROUBLE, odd)


def test_sums_of_bools_are_ints():
    def program(n):
        s = 0
        for i in range(n):
            a, b = i % 2 == 0, i % 3 == 0
            s += a + b + (a & b) + (a | b) * 2 - (a ^ b) + (not a) + -a + ~0
        return s, a + b, type(a + b), a & b, type(a & b), -a, +b

    hot(program, PASSES)


def test_comparisons_of_ints_and_floats_are_exact():
    def program(ints, floats, n):
        hits = 0
        for i in range(n):
            x, y = ints[i % len(ints)], floats[i * 5 % len(floats)]
            hits += (x < y) + 2 * (x == y) + 4 * (x >= y) + (y != x)
        return hits

    ints = [2**53, 2**53 + 1, 2**53 - 1, 2**63 - 1, -(2**53) - 1, 0, 2**62 + 1]
    floats = [2.0**53, 2.0**53 + 2, 2.0**63, -(2.0**53), float("nan"), float("inf"), -0.0]
    hot(program, ints, floats, PASSES)


def test_ints_too_large_for_a_float():
    def program(n, trouble, big):
        s = 0.0
        for i in range(n):
            x = big if i == trouble else i
            s += x * 0.5
            s += float(x) / 3
        return s

    hot(program, PASSES, TROUBLE, 2**63 + 1)
    hot(program, PASSES, TROUBLE, 2**53 + 1)
    hot(program, PASSES, TROUBLE, 10**400)


def test_true_division_of_big_ints_is_rounded_once():
    def program(n):
        s = 0.0
        for i in range(1, n):
            s += (2**62 + i * 7) / (2**61 + i) + (2**53 + i) / 3 + i / (2**62 + 1)
        return s

    hot(program, PASSES)


@pytest.mark.parametrize(
    "name",
    ["sqrt", "exp", "log", "sin", "cos", "tan", "atan", "tanh", "log1p", "expm1", "erf", "gamma"],
)
def test_functions_of_math(name):
    function = getattr(math, name)

    def program(x):
        s = 0.0
        for i in range(len(x)):
            s += function(x[i])
            x[i] = function(x[i]) * 0.5
        return s, x

    hot(program, np.linspace(0.1, 3.0, PASSES).tolist())
    hot(program, np.linspace(0.1, 3.0, PASSES))


@pytest.mark.parametrize(
    "name, odd",
    [
        ("sqrt", -1.0),
        ("log", 0.0),
        ("log", -1),
        ("exp", 1000.0),
        ("sin", math.inf),
        ("acos", 1.5),
        ("log2", 0),
        ("fabs", 10**400),
        ("sqrt", 1j),
        ("sqrt", "2"),
        ("sqrt", math.nan),
    ],
)
def test_functions_of_math_that_raise_in_one_pass(name, odd):
    function = getattr(math, name)

    def program(n, trouble, odd, out):
        for i in range(n):
            x = odd if i == trouble else i / n + 1e-3
            out[i] = -1.0
            out[i] = function(x)
        return out

    hot(program, PASSES, TROUBLE, odd, np.zeros(PASSES))


def test_functions_of_math_on_two_numbers():
    def program(x, y):
        s = 0.0
        for a, b in zip(x, y):
            s += math.atan2(a, b) + math.hypot(a, b) + math.fmod(a, b + 9) + math.copysign(a, b)
            s += math.pow(abs(a), b) + math.ldexp(a, 3) + math.log(abs(a) + 1, 2)
            s -= math.isnan(a) + math.isfinite(b) + math.isclose(a, b)
        return s, math.gcd(12, 18), math.isqrt(99)

    hot(program, np.sin(np.arange(PASSES)).tolist(), np.cos(np.arange(PASSES)).tolist())


def test_functions_of_cmath():
    def program(n):
        z, s = 1 + 1j, 0j
        for i in range(n):
            z = cmath.exp(1j * cmath.phase(z + 0.1)) * 0.99
            s += cmath.sqrt(z) + cmath.log(z + 2)
        return z, s

    hot(program, PASSES)


def test_math_under_other_names_and_rebound_in_the_middle():
    def program(n, trouble):
        root = math.sqrt
        s = 0.0
        for i in range(n):
            if i == trouble:
                root = abs
            s += root(i)
        return s

    hot(program, PASSES, TROUBLE)


def test_constructors_of_numbers():
    def program(x):
        s = 0
        z = 0j
        for i in range(len(x)):
            s += int(x[i]) + bool(x[i]) + float(i) + int(i % 3 == 0) + bool(i)
            z += complex(x[i], i) + complex(i) + complex(x[i])
        return s, z, int(), float(), complex(), bool()

    hot(program, (np.arange(PASSES) % 5 - 2.5).tolist())
    hot(program, np.arange(PASSES) % 5 - 2.5)
    hot(program, (np.arange(PASSES) % 5).astype(np.uint8))


def test_sum_len_any_and_all_of_small_lists():
    def program(n):
        s = 0
        for i in range(n):
            items = [i, i + 1, i * 2]
            s += sum(items) + len(items) + any(items) + all(items) + max(items) - min(items)
            s += sum(j for j in range(3)) + sum([0.5, i])
        return s

    hot(program, 1000)


def test_one_integer_of_many_digits_among_arguments():
    def program(n, start):
        s = start
        for i in range(n):
            s = s ^ i
            s += i & 1
        return s

    hot_then(program, (PASSES, 0), (PASSES, 2**64), (PASSES, -(2**63)), (PASSES, 2**63 - 1))
