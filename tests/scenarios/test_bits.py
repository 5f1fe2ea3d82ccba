"""Bits and layout: elision of temporaries, signed zeros, NaNs, strides, scalar and array loops."""

import math

import numpy as np
import pytest

from tests.differential import DTYPES, FLOATS, LAYOUTS, check, check_calls, laid_out, numbers

UNARY = (
    "negative positive absolute fabs rint sign conj exp exp2 log log2 log10 expm1 log1p sqrt square "
    "cbrt reciprocal sin cos tan arcsin arccos arctan sinh cosh tanh arcsinh arccosh arctanh degrees "
    "radians deg2rad rad2deg invert logical_not isfinite isinf isnan signbit spacing modf frexp floor "
    "ceil trunc"
).split()
BINARY = (
    "add subtract multiply divide true_divide floor_divide remainder mod fmod divmod power float_power "
    "logaddexp logaddexp2 heaviside gcd lcm arctan2 hypot maximum minimum fmax fmin copysign nextafter "
    "ldexp greater greater_equal less less_equal equal not_equal logical_and logical_or logical_xor "
    "bitwise_and bitwise_or bitwise_xor left_shift right_shift"
).split()


def function(name):
    """A traced function that calls one ufunc by its plain spelling."""
    space = {"np": np}
    exec(f"def program(*xs):\n    y = np.{name}(*xs)\n    return y\n", space)
    return space["program"]


@pytest.mark.parametrize("name", UNARY)
def test_every_unary_ufunc_on_every_dtype(name):
    program = function(name)
    check_calls(program, [(numbers(17, dtype, extreme=True),) for dtype in DTYPES for _ in "ab"])


@pytest.mark.parametrize("name", BINARY)
def test_every_binary_ufunc_on_every_dtype(name):
    program = function(name)
    arguments = []
    for dtype in DTYPES:
        x = numbers(17, dtype, extreme=True)
        arguments += [(x, np.roll(x, 5)), (x, x[3]), (2, x)]
    check_calls(program, arguments * 2)


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("name", ["exp", "log", "tan", "cbrt", "arctan", "sqrt", "sinh", "log1p"])
def test_transcendentals_on_every_layout(name, layout):
    program = function(name)
    arrays = [laid_out(abs(numbers(s)) + 0.1, layout) for s in [(67,), (9, 11), (3, 4, 5)]]
    check_calls(program, [(a,) for a in arrays] * 2)


@pytest.mark.parametrize("name", ["power", "arctan2", "maximum", "fmin", "fmod", "add"])
@pytest.mark.parametrize("layout", LAYOUTS)
def test_binary_ufuncs_on_mixed_layouts(name, layout):
    program = function(name)
    x = numbers((9, 11), extreme=True)
    check_calls(program, [(laid_out(x, layout), x), (x[::-1], laid_out(x, layout))] * 2)


@pytest.mark.parametrize("n", [100, 181, 182, 300])
@pytest.mark.parametrize("left", ["C", "F"])
@pytest.mark.parametrize("right", ["C", "F"])
def test_elision_decides_strides_of_stack_only_temporaries(n, left, right):
    def helper(a):
        return a * 2

    def program(a, b, c):
        t = a * b
        u = np.multiply(a, b)
        return (
            (a * b) + c,
            t + c,
            np.add(np.multiply(a, b), c),
            c + (a * b),
            helper(a) + c,
            c - helper(b),
            u + c + a,
            -(a * b) + c,
            abs(a - c) * b,
        )

    f, c = (numbers((n, n), "float64") for _ in "ab")
    check(
        program, laid_out(f, left), laid_out(f, left) + 1, laid_out(c, right), calls=3, captured=9
    )


@pytest.mark.parametrize("kilobytes", [255, 256, 257])
def test_elision_around_its_size_limit(kilobytes):
    def program(a, b, c):
        return a + b + c, (a + b) - c, c - (a - b), (a + b) * (b + c)

    shape = (kilobytes, 128)
    a, b = (np.asfortranarray(numbers(shape)) for _ in "ab")
    check(program, a, b, numbers(shape), calls=3)


def test_a_named_temporary_keeps_its_own_memory():
    def program(a, b):
        t = a * b
        r = t + a
        s = t * 2
        return t, r, s, np.shares_memory(t, r)

    check(program, numbers((300, 300)), numbers((300, 300)), captured=3)


@pytest.mark.parametrize("exponent", [0, 1, 2, 3, -1, 0.5, True, 2.0, -2.5, np.float64(2), 1j])
@pytest.mark.parametrize("dtype", ["float64", "int64", "float32", "complex64", "bool"])
def test_power_reads_the_value_of_its_exponent(dtype, exponent):
    def program(x, n):
        return x**n, x ** np.float32(2)

    check(program, numbers(9, dtype), exponent)


def test_one_power_with_changing_exponents():
    def program(x, n):
        return x**n

    x = abs(numbers(33)) + 0.25
    check_calls(program, [(x, n) for n in (2, 2, 3, 0.5, 2, -1, True, 2.0, 1, 0) for _ in "ab"])


def test_a_scalar_exponent_is_not_an_array_of_exponents():
    def program(x):
        return x**2, np.power(x, np.full(x.shape, 2.0)), x**0.5, x**-1, np.power(x, 2.0)

    check(program, abs(numbers(65)) + 0.1)


def test_scalar_power_uses_scalar_arithmetic():
    def program(s, f):
        return s**2, f**2, f**0.5, s * f, s // f, s % f, math.exp(f), np.exp(f), np.exp(s)

    check(program, np.float64(1.7), 1.1)


@pytest.mark.parametrize("dtype", FLOATS)
def test_signed_zeros_in_sums_and_extremes(dtype):
    def program(x):
        return x.sum(), x.max(), x.min(), np.fmax(x, 0.0), np.add.reduce(x), x.prod(), x + 0.0, -x

    check(program, np.array([-0.0, -0.0, 0.0, -0.0] * 5, dtype))


@pytest.mark.parametrize("shape", [(1,), (7,), (8193,), (33, 65), (5, 4, 3), (0,), (0, 3), (3, 0)])
@pytest.mark.parametrize("layout", ["C", "F", "reversed", "stepped"])
def test_sums_keep_eagers_order_of_additions(shape, layout):
    def program(x):
        y = x * 1.1
        return y.sum(), y.sum(axis=0), y.sum(axis=-1), y.mean(), np.sum(y[..., :-1]), x.T.sum()

    rng = np.random.default_rng(0)
    x = laid_out(rng.normal(size=shape) * 10.0 ** rng.integers(-8, 8, shape), layout)
    check(program, x, calls=3)


def test_reductions_with_where_initial_dtype_and_keepdims():
    def program(x, mask):
        return (
            np.sum(x, where=mask),
            np.sum(x, axis=1, initial=2.5, keepdims=True),
            np.sum(x, dtype=np.float32),
            np.prod(x, axis=0, where=mask),
            np.max(x, initial=-1.0, where=mask),
            np.mean(x, axis=(0, 1), dtype=np.longdouble),
            np.std(x, axis=0, ddof=1),
            np.var(x, keepdims=True),
        )

    x = numbers((6, 7))
    check(program, x, x > 0, captured=8)


@pytest.mark.parametrize("dtype", ["float16", "float32", "int8", "bool", "complex64"])
def test_reductions_of_narrow_types(dtype):
    def program(x):
        return x.sum(), x.mean(), x.prod(axis=0), x.sum(axis=1), x.cumsum(axis=0), x.any(), x.all(0)

    check(program, numbers((40, 30), dtype), calls=3)


def test_matmul_of_every_layout_keeps_blas_bits():
    def program(a, b, v):
        return a @ b, a @ a.T, b.T @ a, a @ v, v @ a, a @ v[:, None], np.dot(a, b), a[::2] @ b

    a = np.random.default_rng(1).normal(size=(64, 64))
    check(program, a, np.asfortranarray(a[::-1]), a[3], calls=3, captured=8)


@pytest.mark.parametrize("dtype", DTYPES)
def test_empty_and_zero_dimensional_arrays(dtype):
    def program(e, z):
        return e + z, z + 1, z * z, -e, e.sum(), z.sum(), e[:0], z[()], z[...], np.sqrt(z), [z, e]

    if dtype == "bool":

        def program(e, z):  # noqa: F811
            return e | z, z ^ True, ~e, e.sum(), z.sum(), e[:0], z[()], z[...]

    check(program, numbers((0, 3), dtype), numbers((), dtype))


def test_a_scalar_result_is_a_scalar_and_an_array_result_an_array():
    def program(x, z):
        return x[0], x[0:1], x.sum(), z + 1, z[()], np.array(3.0) * 2, x[0] + x, np.add(z, z), z.T

    check(program, np.arange(3.0), np.array(4.0))


@pytest.mark.parametrize("dtype", DTYPES)
def test_a_chain_of_views_has_eagers_base_and_strides(dtype):
    def program(x):
        v = (x * x)[1:]
        w = v.T[::-1]
        return v, w, x.reshape(-1), x.ravel(), x[:, 0], x[None, ::-1], x.T, x.swapaxes(0, 1)

    check(program, numbers((4, 6), dtype))


def test_result_strides_follow_the_operands_k_order():
    def program(x, y):
        return x + y, x * 2, np.exp(x), x + y.transpose(2, 0, 1).copy().transpose(1, 2, 0), x > y

    x = np.random.default_rng(0).normal(size=(4, 5, 6)).transpose(2, 0, 1)
    check(program, x, x * 2, captured=5)


def test_astype_and_copy_orders():
    def program(x):
        return (
            x.astype(np.float32),
            x.astype("i4", order="C"),
            x.astype(float, copy=False),
            x.copy(),
            x.copy("F"),
            np.ascontiguousarray(x),
            np.asarray(x),
            np.array(x),
            np.array(x, copy=False) if x.size else x,
        )

    check(program, np.asfortranarray(numbers((3, 4))))


def test_an_output_array_owns_its_memory_and_can_be_resized():
    def program(x):
        y = x * 2 + 1
        y.resize(20)
        v = (x + 1)[1:]
        return y, v.base.shape, y.base is None, y.flags.owndata

    check(program, np.arange(10.0))


def test_integer_overflow_wraps_and_mixed_signs_promote():
    def program(a, b):
        return a + b, a * b, a - b, a // 3, a % 7, a << 2, a + 1, b * -1, a + b.astype(np.uint64)

    big = np.array([2**63 - 1, -(2**63), 5], np.int64)
    check(program, big, big[::-1].copy())


def test_python_integers_out_of_range_raise_like_eager():
    def program(a):
        return a + 300

    check(program, np.arange(3, dtype=np.uint8))


def test_comparison_of_small_integers_with_a_large_python_integer():
    def program(a):
        return a < 300, a == -1, a >= 2**70

    check(program, np.arange(3, dtype=np.uint8))


def test_unpickled_and_byte_swapped_and_metadata_dtypes():
    import pickle

    def program(x):
        return x + 1, x * x, x.sum(), x[::2]

    x = np.arange(5.0)
    check_calls(
        program,
        [
            (x,),
            (pickle.loads(pickle.dumps(x)),),
            (x.astype(">f8"),),
            (x.astype(np.dtype("f8", metadata={"unit": "m"})),),
            (x.astype(x.dtype.newbyteorder("=")),),
        ]
        * 2,
    )


def test_a_dtype_that_names_its_byte_order_is_passed_on():
    import ctypes

    def program(x):
        return x + 1, x * x, np.sqrt(x).max(), x[::2] / 3

    x = np.ctypeslib.as_array((ctypes.c_double * 5)(1, 2, 3, 4, 5))
    assert x.dtype.byteorder in "<>"
    check_calls(program, [(x,)] * 5, make=lambda: (x,))
