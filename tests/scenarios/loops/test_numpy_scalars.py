"""NumPy scalars in loops: their promotion, wrap-around and warnings, each with the user's line."""

import numpy as np
import pytest

from tests.scenarios.loops.hot import PASSES, TROUBLE, hot

INTEGERS = ("int8", "uint8", "int16", "uint16", "int32", "uint32", "int64", "uint64")
INEXACT = ("float16", "float32", "float64", "longdouble", "complex64", "complex128")


@pytest.mark.parametrize("action", ["always", "default", "error", "ignore"])
@pytest.mark.parametrize("dtype", INTEGERS)
def test_scalars_that_wrap_around_in_one_pass(dtype, action):
    def program(x, trouble, out):
        s = x[0] - x[0]
        one = x.dtype.type(1)
        top = x.dtype.type(np.iinfo(x.dtype).max)
        for i in range(len(x)):
            y = top if i == trouble else x[i]
            out[i] = one
            s = y + one
            out[i] = s
        return s, type(s)

    x = (np.arange(PASSES) % 50).astype(dtype)
    hot(program, x, TROUBLE, np.zeros(PASSES, dtype), action=action)
    hot(program, x, -1, np.zeros(PASSES, dtype), action=action)


@pytest.mark.parametrize("dtype", INTEGERS)
def test_scalars_that_wrap_around_in_many_passes(dtype):
    def program(x):
        s = x[0]
        p = x[1]
        for i in range(len(x)):
            s = s - x[i]
            p = p * x[i]
        return s, p, type(s), type(p)

    hot(program, (np.arange(PASSES) % 50 + 1).astype(dtype))


@pytest.mark.parametrize("dtype", [*INTEGERS, *INEXACT, "bool"])
def test_scalars_with_numbers_of_python(dtype):
    def program(x):
        kept = []
        a = b = c = None
        for i in range(len(x)):
            v = x[i]
            a = v * 2.0
            b = v + 1
            c = 3 - v if i % 2 else v == 1
            if i % 1000 == 0:
                kept.append((v, a, b, c, type(a), type(b), type(c), -a, abs(a)))
        return kept, a, b, c

    hot(program, (np.arange(PASSES) % 5).astype(dtype))


@pytest.mark.parametrize("other", ["int8", "uint8", "int64", "uint64", "float32", "float64"])
@pytest.mark.parametrize("dtype", ["uint8", "int16", "int64", "uint64", "float32", "complex64"])
def test_scalars_of_two_dtypes_are_promoted(dtype, other):
    def program(x, y):
        s = x[0]
        for i in range(len(x)):
            s = x[i] * y[i] + x[i]
        return s, type(s), x[1] / y[1], type(x[1] / y[1]), x[1] == y[1]

    x, y = (np.arange(PASSES) % 9 + 1).astype(dtype), (np.arange(PASSES) % 7 + 1).astype(other)
    hot(program, x, y)


def test_bools_of_numpy_add_to_a_bool():
    def program(x):
        s = x[0]
        n = 0
        for i in range(len(x)):
            s = s + x[i]
            s = s & x[i] | (x[i] ^ s)
            n += x[i] * 2 + (x[i] + True)
        return s, type(s), n, type(n), ~s

    hot(program, np.arange(PASSES) % 3 == 0)


def test_subtracting_bools_of_numpy_raises():
    def program(x, trouble):
        n = 0
        for i in range(len(x)):
            n += x[i] - x[i - 1] if i == trouble else x[i]
        return n

    hot(program, np.arange(PASSES) % 3 == 0, TROUBLE)


@pytest.mark.parametrize("action", ["always", "default", "once", "error", "ignore"])
def test_a_division_by_zero_of_numpy_warns_and_goes_on(action):
    def program(x, out):
        for i in range(len(x)):
            out[i] = -1.0
            out[i] = 1.0 / x[i]
        return out

    x = np.ones(PASSES)
    x[[TROUBLE, TROUBLE + 5]] = 0.0
    hot(program, x, np.zeros(PASSES), action=action)
    hot(program, x, np.zeros(PASSES, np.float32), action=action)


@pytest.mark.parametrize("dtype", ["int64", "uint8", "float64", "complex128"])
@pytest.mark.parametrize("action", ["always", "error"])
def test_scalars_divided_by_zero_in_every_way(dtype, action):
    def program(x, y, out):
        for i in range(len(x)):
            d = y[i]
            out[i] = abs(x[i] / d)
            if d.dtype.kind != "c":
                out[i] += x[i] // d
                out[i] += x[i] % d
        return out

    x, y = (np.arange(PASSES) % 5 + 1).astype(dtype), np.ones(PASSES, dtype)
    y[[TROUBLE, TROUBLE + 1]] = 0
    hot(program, x, y, np.zeros(PASSES), action=action)


def test_a_python_float_divided_by_zero_raises_and_a_numpy_one_warns():
    def program(x, trouble):
        s = 0.0
        for i in range(len(x)):
            v = float(x[i]) if i == trouble else x[i]
            s = s * 0.0 + (1.0 / v if v == 0 else v)
        return s

    x = np.ones(PASSES)
    x[[300, TROUBLE]] = 0.0
    hot(program, x, TROUBLE)
    hot(program, x, -1)


def test_floor_division_and_remainder_of_numpy_scalars():
    def program(x, y):
        kept = []
        s = 0
        for i in range(len(x)):
            q, r = x[i] // y[i], x[i] % y[i]
            s = s + q - r
            if i < 100:
                kept += [q, r, divmod(x[i], y[i]), x[i] // 3, x[i] % -3, 7 // y[i]]
        return s, kept

    for dtype in ("int8", "int32", "int64", "float32", "float64"):
        x = (np.arange(PASSES) % 23 - 11).astype(dtype)
        y = (np.arange(PASSES) % 7 - 3).astype(dtype)
        y[y == 0] = 5
        hot(program, x, y)


def test_the_lowest_integer_of_numpy_divided_by_minus_one():
    def program(x, y):
        s = x[0]
        for i in range(len(x)):
            s = x[i] // y[i]
            s = s + abs(x[i]) - -x[i]
        return s

    for dtype in ("int8", "int32", "int64"):
        x, y = np.full(PASSES, 3, dtype), np.full(PASSES, -1, dtype)
        x[TROUBLE] = np.iinfo(dtype).min
        hot(program, x, y)


@pytest.mark.parametrize("dtype", INTEGERS)
def test_shifts_and_bit_operations_of_numpy_scalars(dtype):
    def program(x, k):
        s = x[0]
        for i in range(len(x)):
            s = ((x[i] << k[i]) ^ (s >> k[i])) | (x[i] & ~s)
        return s, type(s), x[1] << 1, x[1] >> 70

    x = (np.arange(PASSES) % 120).astype(dtype)
    hot(program, x, (np.arange(PASSES) % 9).astype(dtype))
    hot(program, x, (np.arange(PASSES) % 70).astype(dtype))


@pytest.mark.parametrize("number", [256, -1, 2**31, 2**63, 2**64, 1e39, 1.5])
def test_a_number_of_python_that_does_not_fit_the_scalar(number):
    def program(x, number, trouble):
        s = x[0]
        for i in range(len(x)):
            s = x[i] + (number if i == trouble else 1)
        return s, type(s)

    for dtype in ("uint8", "int32", "int64", "uint64", "float16", "float32"):
        hot(program, np.ones(PASSES, dtype), number, TROUBLE)


@pytest.mark.parametrize("exponent", [0, 1, 2, 3, -1, 0.5, 2.0, np.float32(2), np.int8(2)])
def test_powers_of_numpy_scalars(exponent):
    def program(x, exponent):
        s = 0
        p = None
        for i in range(len(x)):
            p = x[i] ** exponent
            s = s + p
        return s, p, type(p)

    for dtype in ("int32", "float32", "float64", "complex64"):
        hot(program, (np.arange(PASSES) % 5 + 1).astype(dtype), exponent)


def test_conversions_of_numpy_scalars():
    def program(x):
        s = 0
        t = 0.0
        for i in range(len(x)):
            s += int(x[i]) + bool(x[i])
            t += float(x[i]) + x[i].item()
            u = np.float32(x[i]) * np.float64(0.1)
            v = np.int16(i) + np.uint8(i % 200)
        return s, t, u, v, round(x[1], 1), type(round(x[1]))

    for dtype in ("float64", "float32", "int8", "uint64"):
        hot(program, (np.arange(PASSES) % 5).astype(dtype))


@pytest.mark.parametrize("odd", [np.nan, np.inf, 1e30, -1.0, 300.0])
def test_conversions_to_an_integer_scalar_of_an_odd_value(odd):
    def program(x):
        s = 0
        for i in range(len(x)):
            s += int(np.int32(x[i])) if i % 2 else int(x[i] * 0.5)
        return s

    x = np.arange(PASSES) * 0.01
    for trouble in (TROUBLE, TROUBLE + 1):
        x[trouble] = odd
        hot(program, x)


@pytest.mark.parametrize(
    "name", ["sqrt", "exp", "log", "sin", "abs", "floor", "sign", "isnan", "square", "negative"]
)
def test_ufuncs_of_scalars(name):
    function = getattr(np, name)

    def program(x):
        s = 0
        y = None
        for i in range(len(x)):
            y = function(x[i])
            s = s + y
        return s, y, type(y), function(2), type(function(0.5))

    for dtype in ("float64", "float32", "int64"):
        hot(program, np.linspace(1.0, 9.0, PASSES).astype(dtype))


@pytest.mark.parametrize("name, odd", [("sqrt", -1.0), ("log", 0.0), ("exp", 1e4), ("arccos", 2.0)])
@pytest.mark.parametrize("action", ["always", "error"])
def test_ufuncs_of_scalars_that_warn_in_one_pass(name, odd, action):
    function = getattr(np, name)

    def program(x, out):
        for i in range(len(x)):
            out[i] = -1.0
            out[i] = function(x[i])
        return out

    x = np.linspace(0.1, 0.9, PASSES)
    x[TROUBLE] = odd
    hot(program, x, np.zeros(PASSES), action=action)
    hot(program, x.tolist(), np.zeros(PASSES), action=action)


def test_two_argument_ufuncs_of_scalars():
    def program(x, y):
        s = 0.0
        for i in range(len(x)):
            s += np.maximum(x[i], y[i]) - np.minimum(x[i], 0.0) + np.hypot(x[i], y[i])
            s += np.where(x[i] > y[i], x[i], y[i]) + np.clip(x[i], -0.5, 0.5)
            s -= np.fmod(x[i], 0.3) + np.arctan2(x[i], y[i]) + np.power(y[i] + 2, 2)
        return s, type(s)

    x, y = np.sin(np.arange(PASSES)), np.cos(np.arange(PASSES))
    x[[5, TROUBLE]] = np.nan
    y[7] = -0.0
    hot(program, x, y)
    hot(program, x.astype(np.float32), y.astype(np.float32))


def test_exp_of_math_and_exp_of_numpy_may_have_other_bits():
    import math

    def program(x, a, b):
        for i in range(len(x)):
            a[i] = math.exp(x[i])
            b[i] = np.exp(x[i])
        return a - b

    hot(program, np.linspace(-5.0, 5.0, PASSES), np.zeros(PASSES), np.zeros(PASSES))


def test_attributes_and_methods_of_scalars():
    def program(x):
        s = 0.0
        for i in range(len(x)):
            v = x[i]
            s += v.real + v.imag + v.conjugate().real + v.size + v.ndim + len(v.shape)
            s += v.sum() + v.max() + v.astype(np.float32) + v.item().real
        return s, v.dtype

    hot(program, np.linspace(0.0, 1.0, PASSES))
    hot(program, np.linspace(0.0, 1.0, PASSES) * 1j)


def test_float64_is_a_float():
    def program(x):
        s = 0.0
        n = 0
        for i in range(len(x)):
            n += isinstance(x[i], float)
            s += x[i].is_integer() + x[i].hex().count("1")
        return s, n

    hot(program, np.linspace(0.0, 1.0, PASSES))


@pytest.mark.parametrize("dtype", ["float16", "float32", "float64"])
def test_rounding_at_each_step_is_that_of_the_dtype(dtype):
    def program(x):
        s = x.dtype.type(0)
        compensation = x.dtype.type(0)
        for i in range(len(x)):
            y = x[i] - compensation
            t = s + y
            compensation = (t - s) - y
            s = t
        return s, compensation, type(s)

    hot(program, np.linspace(0.001, 1.0, PASSES).astype(dtype))


def test_products_and_sums_are_not_fused():
    def program(a, b, c, out):
        for i in range(len(a)):
            out[i] = a[i] * b[i] + c[i]
            out[i] -= a[i] * b[i] - c[i]
        return out

    draw = np.random.default_rng(5)
    a, b = draw.random(PASSES) + 1e8, draw.random(PASSES) + 1e8
    hot(program, a, b, -(a * b), np.zeros(PASSES))
    hot(program, a.tolist(), b.tolist(), (-(a * b)).tolist(), np.zeros(PASSES))


@pytest.mark.parametrize(
    "values", [(5e-324, -5e-324, 2.2e-308), (0.0, -0.0, 1.0), (1.7e308, -1.7e308)]
)
def test_subnormals_and_signed_zeros_and_the_largest_numbers(values):
    def program(values, out):
        for i in range(len(out)):
            x, y = values[i % len(values)], values[i * 7 % len(values)]
            out[i] = x * 0.5 + y * 0.25
            out[i] *= 2.0 if i % 2 else -1.0
            out[i] -= min(x, y) - max(y, x)
        return out

    hot(program, np.array(values), np.zeros(PASSES))
    hot(program, list(values), np.zeros(PASSES))
