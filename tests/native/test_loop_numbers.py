"""The C functions that machine code calls give the bits of CPython's own arithmetic."""

import ctypes
import itertools
import math
import random
import struct

import numpy as np
import pytest

_native = pytest.importorskip("dyntrace._native")

DOUBLE, WORD = ctypes.c_double, ctypes.c_int64
ADDRESSES = _native.loop_functions()
MATH_OF_ONE = sorted(
    {"sin", "cos", "tan", "asin", "acos", "atan", "sinh", "cosh", "tanh", "asinh", "acosh"}
    | {"atanh", "exp", "exp2", "expm1", "log1p", "erf", "erfc", "cbrt", "fabs"}
)
LOGARITHMS = ("log", "log2", "log10")
MATH_OF_TWO = ("atan2", "fmod", "copysign")


def function(name, result, *parameters):
    return ctypes.CFUNCTYPE(result, *parameters)(ADDRESSES[name])


SPECIAL_FLOATS = [
    *(0.0, 0.5, 1.0, 1.5, 2.0, 2.5, 3.0, 1e-5, 0.1, 7.0, 10.0, 1e16, 2.0**53, 2.0**53 - 1),
    *(5e-324, 2.2250738585072014e-308, 1.7976931348623157e308, 1e200, 709.78, 745.2, 1e300),
    *(math.inf, math.nan, 0.49999999999999994, 4503599627370497.5, 1 / 3, math.pi),
]
SPECIAL_FLOATS += [-value for value in SPECIAL_FLOATS]
SPECIAL_INTS = [
    *(0, 1, 2, 3, 5, 7, 10, 62, 63, 64, 100, 2**31 - 1, 2**31, 2**32, 2**53 - 1, 2**53),
    *(2**53 + 1, 2**53 + 2, 2**53 + 3, 2**54 - 1, 2**54 + 2, 2**62, 2**63 - 1, 2**63 - 512),
]
SPECIAL_INTS += [-value for value in SPECIAL_INTS] + [-(2**63)]


def random_floats(seed, count):
    """Of any exponent, of usual sizes, and halves of whole numbers."""
    draw = random.Random(seed)
    for _ in range(count):
        yield struct.unpack("d", draw.randbytes(8))[0]
        yield draw.uniform(-50, 50)
        yield draw.randint(-200, 200) / 2


def random_ints(seed, count):
    draw = random.Random(seed)
    for _ in range(count):
        yield draw.randint(-(2**63), 2**63 - 1) >> draw.randint(0, 63)
        yield draw.randint(-20, 20)


def pairs(special, drawn):
    """All pairs of special values, and of those that are drawn one after another."""
    yield from itertools.product(special, repeat=2)
    drawn = list(drawn)
    yield from zip(drawn, drawn[1:], strict=False)
    yield from zip(drawn, itertools.cycle(special), strict=False)


FLOAT_PAIRS = list(pairs(SPECIAL_FLOATS, random_floats(1, 3000)))
INT_PAIRS = list(pairs(SPECIAL_INTS, random_ints(2, 5000)))
FLOATS = [*SPECIAL_FLOATS, *random_floats(3, 5000)]


def of_python(compute, *arguments, kind=float):
    """What CPython gives; None where it raises or the result is of another type."""
    try:
        result = compute(*arguments)
    except (ArithmeticError, ValueError):
        return None
    return result if type(result) is kind else None


def bits(value):
    return struct.pack("d", value)


def assert_gives(name, compute, cases):
    """The bits of CPython, or NaN where it gives no float or NaN; neither for all cases."""
    native = function(name, DOUBLE, *(DOUBLE,) * len(cases[0]))
    troubles = 0
    for arguments in cases:
        wanted = of_python(compute, *arguments)
        got = native(*arguments)
        if wanted is None or math.isnan(wanted):
            assert math.isnan(got), arguments
            troubles += 1
        else:
            assert bits(got) == bits(wanted), (arguments, got, wanted)
    assert 0 < troubles < len(cases)


def test_a_float_to_the_power_of_a_float():
    assert_gives("float_pow", lambda x, y: x**y, FLOAT_PAIRS)


def test_math_pow_of_two_floats():
    assert_gives("math.pow", math.pow, FLOAT_PAIRS)


@pytest.mark.parametrize(
    ("name", "compute"),
    [("float_mod", lambda x, y: x % y), ("float_floordiv", lambda x, y: x // y)],
)
def test_the_rest_and_quotient_of_two_floats(name, compute):
    assert_gives(name, compute, [(x, y) for x, y in FLOAT_PAIRS if y != 0])


def test_a_float_rounds_to_the_nearest_even_integer():
    native = function("round_to_even", DOUBLE, DOUBLE)
    for value in FLOATS:
        wanted = of_python(round, value, kind=int)
        got = native(value)
        assert bits(got) == bits(value + 0.0) if wanted is None else got == wanted, value


def test_a_float_rounds_to_digits():
    native = function("round_digits", DOUBLE, DOUBLE, WORD)
    draw = random.Random(4)
    decimals = [draw.randint(-(10**6), 10**6) / 10 ** draw.randint(0, 8) for _ in range(3000)]
    for value in [*FLOATS, *decimals, 0.125, 2.675, 1e22, 1e23, 0.5e-323]:
        for digits in (0, 1, 2, draw.randint(3, 30), draw.choice((17, 100, 322, 323, 324, 400))):
            wanted = round(value, digits)
            got = native(value, digits)
            if math.isnan(value):
                assert math.isnan(got)
            else:
                assert bits(got) == bits(wanted), (value, digits)
    assert native(1.0, 2**62) == 1.0
    assert native(math.inf, -1) == math.inf
    assert math.isnan(native(125.0, -1)), "it is left to CPython"


def test_an_integer_divided_by_an_integer():
    native = function("int_truediv", DOUBLE, WORD, WORD)
    for value, divisor in INT_PAIRS:
        if divisor != 0:
            assert bits(native(value, divisor)) == bits(value / divisor), (value, divisor)


def test_a_quotient_half_way_between_two_floats_goes_to_the_even_one():
    native = function("int_truediv", DOUBLE, WORD, WORD)
    for value in range(2**62, 2**62 + 4096, 64):
        for near, divisor in itertools.product((-1, 0, 1), (1, 2, 3, 1024)):
            assert bits(native(value + near, divisor)) == bits((value + near) / divisor)
    for value in range(2**53, 2**53 + 64):
        assert native(value, 1) == value / 1
        assert native(value * 3, 3) == (value * 3) / 3


def test_an_integer_to_the_power_of_an_integer():
    native = function("int_pow", WORD, WORD, WORD, ctypes.POINTER(WORD))
    cases = [(base, exponent) for base, exponent in INT_PAIRS if exponent < 200 or abs(base) < 2]
    draw = random.Random(5)
    cases += [(draw.randint(-40, 40), draw.randint(0, 70)) for _ in range(5000)]
    cases += [(-2, 63), (-2, 64), (2, 62), (2, 63), (-(2**63), 1), (2**32, 2), (-(2**21), 3)]
    fitting = 0
    for base, exponent in cases:
        result = WORD()
        fits = native(base, exponent, ctypes.byref(result))
        if exponent < 0:
            assert fits == 0
            continue
        wanted = base**exponent
        assert fits == (-(2**63) <= wanted < 2**63), (base, exponent)
        if fits:
            assert result.value == wanted
            fitting += 1
    assert 1000 < fitting < len(cases)


def test_the_size_of_a_complex_number():
    native = function("complex_abs", DOUBLE, DOUBLE, DOUBLE)
    for real, imag in FLOAT_PAIRS:
        wanted = of_python(abs, complex(real, imag))
        got = native(real, imag)
        if wanted is None or math.isnan(wanted):
            assert math.isnan(got), (real, imag)
        else:
            assert bits(got) == bits(wanted), (real, imag)


def test_a_complex_number_divided_by_another():
    native = function("complex_div", WORD, *(DOUBLE,) * 4, ctypes.POINTER(DOUBLE * 2))
    draw = random.Random(6)
    cases = [(*draw.choice(FLOAT_PAIRS), *draw.choice(FLOAT_PAIRS)) for _ in range(20_000)]
    zeros = 0
    for real, imag, *divisor in cases:
        result = (DOUBLE * 2)()
        divided = native(real, imag, *divisor, ctypes.byref(result))
        wanted = of_python(lambda x, y: x / y, complex(real, imag), complex(*divisor), kind=complex)
        assert divided == (wanted is not None)
        if wanted is None:
            zeros += 1
            continue
        for got, part in zip(result, (wanted.real, wanted.imag), strict=True):
            assert bits(got) == bits(part) or (math.isnan(got) and math.isnan(part))
    assert zeros > 0


def raises_in_math(result, *arguments):
    """When `math` raises, by the result of the C library (math_1 in Modules/mathmodule.c)."""
    if math.isnan(result):
        return not any(math.isnan(value) for value in arguments)
    return math.isinf(result) and all(math.isfinite(value) for value in arguments)


@pytest.mark.parametrize("name", MATH_OF_ONE)
def test_a_function_of_one_float_is_what_math_calls(name):
    native = function(f"math.{name}", DOUBLE, DOUBLE)
    for value in FLOATS:
        wanted = of_python(getattr(math, name), value)
        got = native(value)
        assert raises_in_math(got, value) == (wanted is None), value
        assert wanted is None or bits(got) == bits(wanted) or math.isnan(value), value


@pytest.mark.parametrize("name", LOGARITHMS)
def test_a_logarithm_of_a_positive_float_is_what_math_calls(name):
    native = function(f"math.{name}", DOUBLE, DOUBLE)
    for value in FLOATS:
        if 0 < value < math.inf:
            assert bits(native(value)) == bits(getattr(math, name)(value))


@pytest.mark.parametrize("name", MATH_OF_TWO)
def test_a_function_of_two_finite_floats_is_what_math_calls(name):
    native = function(f"math.{name}", DOUBLE, DOUBLE, DOUBLE)
    for arguments in FLOAT_PAIRS:
        if all(map(math.isfinite, arguments)):
            wanted = of_python(getattr(math, name), *arguments)
            got = native(*arguments)
            assert raises_in_math(got, *arguments) == (wanted is None)
            assert wanted is None or bits(got) == bits(wanted), arguments


def test_each_function_of_the_table_is_tested():
    own = {"float_pow", "float_mod", "float_floordiv", "round_to_even", "round_digits"}
    own |= {"int_truediv", "int_pow", "complex_abs", "complex_div", "math.pow", "log_row"}
    own |= {f"items_{name}" for name in ("int", "keep", "set_bool", "set_float", "set_int")}
    own |= {f"object.{name}" for name in ("float", "true", "false")}
    assert set(ADDRESSES) == own | {
        f"math.{name}" for name in (*MATH_OF_ONE, *LOGARITHMS, *MATH_OF_TWO)
    }
    assert all(hasattr(math, name.removeprefix("math.")) for name in set(ADDRESSES) - own)


def strided(draw, char, length, step):
    """A vector of numbers and negative zeros; `step` 0 repeats one number."""
    numbers = np.where(
        draw.random(length * 2 + 1) < 0.2, -0.0, draw.standard_normal(length * 2 + 1)
    )
    items = (numbers * (9 + 9j if char in "FD" else 9)).astype(char)
    if step == 0:
        return np.lib.stride_tricks.as_strided(items, (length,), (0,))
    return items[::step][:length]


LENGTHS = (0, 1, 2, 7, 8, 9, 127, 128, 129, 1000)


@pytest.mark.parametrize("char", "?bBhHiIlLqQefdFD")
def test_the_dot_of_a_dtype_is_that_of_numpy(char):
    """Always that of `@`. np.dot copies what has no positive stride, and multiplies single items."""
    dot = ctypes.CFUNCTYPE(
        *(None, ctypes.c_void_p, ctypes.c_ssize_t, ctypes.c_void_p, ctypes.c_ssize_t),
        *(ctypes.c_void_p, ctypes.c_ssize_t, ctypes.c_void_p),
    )(_native.dot_function(np.dtype(char)))
    draw = np.random.default_rng(7)
    for length, *steps in itertools.product(LENGTHS, (1, 2, -1, 0), (1, 2, -1, 0)):
        one, two = (strided(draw, char, length, step) for step in steps)
        result = np.zeros((), char)
        addresses = (one.ctypes.data, one.strides[0], two.ctypes.data, two.strides[0])
        dot(*addresses, result.ctypes.data, length, None)
        assert result.tobytes() == (one @ two).tobytes(), (length, steps)
        if length != 1 and min(steps) > 0:
            assert result.tobytes() == np.dot(one, two).tobytes(), (length, steps)


def test_a_dtype_without_a_dot_is_refused():
    with pytest.raises(ValueError, match="no dot"):
        _native.dot_function(np.dtype("U3"))
    with pytest.raises(TypeError, match="dtype"):
        _native.dot_function("d")
