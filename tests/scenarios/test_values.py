"""Values inside regions: scalars of Python and NumPy, tuples, slices, lists, dicts, strings, dtypes."""

import math

import numpy as np
import pytest

from tests.differential import DTYPES, check, check_calls, numbers

ARRAY = np.arange(1.0, 6.0)
PYTHON_SCALARS = (3, -2, True, 2.5, -0.0, math.inf, math.nan, 1 + 2j, 0, 2**40, 300, 2**70)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("scalar", PYTHON_SCALARS, ids=repr)
def test_python_scalars_take_the_dtype_of_the_array_they_meet(dtype, scalar):
    def program(x, s):
        y = x * s
        return y, s + x, x / (s or 1), y == s

    check(program, numbers(5, dtype), scalar, calls=3)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("other", ["bool", "int8", "uint64", "float16", "float64", "complex64"])
def test_numpy_scalars_meet_arrays_and_each_other(dtype, other):
    def program(x, s):
        y = x + s
        e = x[1]
        return y, e + s, s * 2, e * 2.5, s == e, abs(s), type(e + s).__name__

    check(program, numbers(5, dtype), numbers(3, other)[2], calls=3)


@pytest.mark.parametrize("symbol", "+ - * / // % ** == < >= & | ^ << >>".split())
def test_operators_between_python_scalars(symbol):
    space = {}
    exec(f"def program(a, b, x):\n    c = a {symbol} b\n    return c, x + c, type(c)\n", space)
    pairs = [(7, 2), (7, -2), (True, 2), (7.5, 2), (7, 2.5), (2**62, 3), (-7, 2), (0, 5), (5, 0)]
    if symbol in "+-*/**==":
        pairs += [(1j, 2), (2.5, 1j), (math.nan, 1), (-8, 0.5), (0.0, -1)]
    for a, b in pairs:
        check(space["program"], a, b, ARRAY, calls=3)


def test_one_function_on_ints_floats_strings_lists_and_arrays():
    def program(a):
        return a + a

    samples = [1, 2.5, "text", [1, 2], (3,), ARRAY, np.float32(2), True, 1j, b"ab", np.arange(3)]
    check_calls(program, [(s,) for s in samples * 3])


def test_unary_operators_on_everything():
    def program(a):
        return -a, +a, abs(a), not a

    for a in (3, 2.5, True, -1j, np.float64(-2), np.int8(-128), np.array(3), np.array([2.5])):
        check(program, a)


def test_scalar_functions_of_the_standard_library():
    def program(x, n):
        return (
            math.sqrt(n) * x,
            x + math.pi,
            max(n, 3) * x,
            min(2, n, 9),
            round(n / 7, 2),
            abs(-n),
            len(x),
            int(x[0]),
            float(x[1]),
            bool(x[0]),
            complex(x[2]),
            sum([1, n, x[0]]),
            divmod(n, 4),
            pow(n, 2, 7),
            isinstance(x, np.ndarray),
            isinstance(n, int),
            type(x) is np.ndarray,
            callable(n),
            str(n),
            repr(x),
            hash(n),
            any(x),
            all(x),
            list(range(n))[:2],
            tuple(x),
            sorted(x, reverse=True),
        )

    check(program, ARRAY, 17)


def test_loop_counters_are_not_specialised_by_value():
    def program(a, n):
        for i in range(n):
            a = a + i * 0.5 - (i % 3)
        return a

    check(program, ARRAY, 50)


def test_a_counter_used_as_index_and_slice_bound():
    def program(a, n):
        out = np.zeros(n)
        for i in range(n):
            out[i] = a[i] + a[: i + 1].sum() + a[-i - 1] + a[i : n - i].size
        return out

    check(program, ARRAY, 5, captured=2)


def test_slices_built_and_passed_and_indexed():
    def program(a, i, j, k):
        s = slice(i, j, k)
        t = np.s_[1:, ::2]
        b = a[s]
        return b, a[s, 1], a[t], a[..., s], a[None, s, None], a[(s, s)], s, s.indices(9)

    a = np.arange(25).reshape(5, 5)
    for bounds in [(0, 3, 1), (None, None, -1), (4, 0, -2), (-3, None, None), (7, 9, 1)]:
        check(program, a, *bounds)


@pytest.mark.parametrize(
    "index",
    [
        2, -1, np.int64(1), np.array(2), True, None, Ellipsis, (1, 2), (slice(1, 3), 0),
        [0, 2, 2], np.array([[0, 1], [2, 3]]), ([0, 1], [1, 0]), (slice(None), [1, 3]),
        np.arange(20).reshape(4, 5) % 3 == 0, (np.array([True, False, True, False]), 1),
        (0, Ellipsis, -1), (None, 1, None), [], (slice(5, 2), 1), 7, (0, 9), 1.5, "x", (1, 1, 1),
    ],
    ids=repr,
)  # fmt: skip
def test_every_kind_of_index(index):
    def program(a, index):
        b = a * 2
        return b[index], a[index]

    check(program, np.arange(20).reshape(4, 5), index)


def test_tuples_are_built_unpacked_swapped_and_returned():
    def program(a, b):
        a, b = b, a
        t = (a + b, a - b, 3)
        (p, q, r), u = t, t[1:]
        t += (p,)
        return t, u, p * q + r, len(t), t[0] is p, (a, b) == (b, a) if a is b else a in (a, b)

    check(program, ARRAY, ARRAY * 2)


def test_returned_containers_share_what_they_should():
    def program(a):
        t = (a + 1, a)
        items = [t, t, a]
        table = {"t": t, "items": items}
        return t, items, table, items[0] is t

    check(program, ARRAY)


def test_lists_built_and_consumed_inside():
    def program(a, b):
        parts = [a, b, a * 2]
        stacked = np.stack(parts)
        joined = np.concatenate([parts[0], parts[-1][1:]])
        parts[1] = a + 5
        parts.append(b)
        return stacked, joined, parts, np.array([a.sum(), 2, b[0]]), np.vstack((a, b)), len(parts)

    check(program, ARRAY, ARRAY[::-1], captured=["numpy.stack", "numpy.concatenate"])


def test_dicts_built_and_consumed_inside():
    def program(a):
        options = {"axis": 0, "keepdims": True}
        table = {"x": a * 2, "y": a + 1}
        table["z"] = table["x"] - table["y"]
        total = np.sum(a, **options)
        return table, total, table.get("q", 3), "x" in table, sorted(table), {**options, "k": a}

    check(program, ARRAY)


def test_mutable_arguments_are_mutated_in_order():
    def program(items, table, a):
        items.append(a * 2)
        table["k"] = items[-1] + 1
        items[0] = table["k"] - a
        table.setdefault("m", []).append(items[0])
        return items[0].sum()

    check(program, [0], {}, ARRAY)


def test_strings_as_options():
    def program(a, order, mode):
        b = a.reshape(2, 3, order=order)
        c = np.pad(b, 1, mode=mode)
        return (
            c.astype("float32"),
            np.einsum("ij->ji", b),
            np.dtype("i4"),
            order + mode,
            b.ravel("F"),
        )

    check(program, np.arange(6.0), "F", "edge")
    check(program, np.arange(6.0), "C", "constant")


def test_dtypes_as_values():
    def program(a, d):
        b = a.astype(d)
        c = np.zeros(3, dtype=b.dtype) + np.ones(3, a.dtype)
        same = b.dtype == d, b.dtype is np.dtype(d), c.dtype.kind, c.dtype.itemsize, b.dtype.name
        return b, c, same, np.finfo(np.float32).eps, np.iinfo(np.int8).max, np.result_type(a, b)

    for d in (np.float32, np.dtype("int16"), "c8", bool, int):
        check(program, ARRAY, d)


def test_none_and_ellipsis_and_newaxis():
    def program(a, axis):
        b = a[np.newaxis, ..., None]
        return (
            b,
            np.sum(b, axis=axis),
            np.expand_dims(a, 0),
            axis is None,
            axis is not None,
            a is ...,
        )

    check(program, ARRAY, None)
    check(program, ARRAY, 1)


def test_comparisons_and_identity_of_values():
    def program(a, b, n):
        return (
            a is b,
            a is not b,
            n == 3,
            n != 2,
            n in (1, 2, 3),
            "x" in "xyz",
            a.shape == b.shape,
            a > b,
        )

    check(program, ARRAY, ARRAY, 3)
    check(program, ARRAY, ARRAY.copy(), 4.0)


def test_chained_comparisons_of_scalars():
    def program(a, lo, hi):
        m = a.mean()
        if lo < m <= hi:
            return a * 2
        return a - 1

    check(program, ARRAY, 0, 5)
    check(program, ARRAY, 4, 5)


def test_array_attributes_are_read_as_in_eager():
    def program(a):
        return (
            a.shape, a.ndim, a.size, a.dtype, a.itemsize, a.nbytes, a.strides, a.T, a.real, a.imag,
            a.flat[1], a.flags.c_contiguous, a.base is None, a.shape[0] * 2, a.T.shape, a.mT.shape,
            len(a.shape),
        )  # fmt: skip

    check(program, numbers((2, 3)))
    check(program, numbers((2, 3), "complex64"))


def test_a_missing_attribute_raises_like_eager():
    def program(a):
        b = a + 1
        return b.nothing

    check(program, ARRAY)


def test_scalar_methods_and_attributes():
    def program(s):
        return (
            s.dtype, s.shape, s.item(), s.astype(int), s.real, s.sum(), s.reshape(1), s.T, s.ndim,
            s.tolist(), s[()], s.round(1), s.clip(0, 1),
        )  # fmt: skip

    check(program, np.float64(2.25))
    check(program, np.int16(7))


def test_large_python_integers_stay_python_integers():
    def program(n, a):
        m = n * n * n
        return m, m % 7, a * (m % 7), (m >> 200).bit_length()

    check(program, 2**80 + 1, ARRAY)


def test_bool_is_not_int():
    def program(a, flag):
        return a + flag, a * flag, a[flag], flag + 1, flag & True, ~np.bool(flag), a == flag

    check_calls(program, [(ARRAY, True), (ARRAY, 1), (ARRAY, False), (ARRAY, 0)] * 2)


def test_int_and_float_subclasses_keep_their_own_operators():
    class Metres(float):
        def __add__(self, other):
            return "metres"

        __radd__ = __add__

    def program(a, m):
        return m + 1, a + m, m * 2, a * m, type(m)

    check_calls(program, [(2.0, 2.0), (2.0, Metres(2)), (ARRAY, 2.0), (ARRAY, Metres(2))] * 2)


def test_objects_with_reflected_operators_run_once():
    calls = []

    class Reflected:
        __array_ufunc__ = None

        def __radd__(self, other):
            calls.append("radd")
            return other.sum()

    def program(a, r):
        b = a * 2
        return b + r, len(calls)

    check(program, ARRAY, Reflected())


def test_objects_with_index_and_array_protocols_run_once():
    calls = []

    class Index:
        def __index__(self):
            calls.append("index")
            return 1

    class Like:
        def __array__(self, dtype=None, copy=None):
            calls.append("array")
            return np.ones(5)

    def program(a, i, like):
        b = a * 2
        c = b[i] + b
        return c, a + np.asarray(like), np.sum(like), len(calls)

    check(program, ARRAY, Index(), Like())


def test_callables_given_to_numpy_run_once():
    def program(x, log):
        def twice(v):
            log.append(1)
            return v * 2

        y = x + 1
        a = np.piecewise(y, [y > 3], [twice, 0])
        b = np.apply_along_axis(twice, 0, y)
        c = np.fromiter((v for v in y), float)
        d = np.vectorize(twice)(y)
        e = np.fromfunction(lambda i: i * 2, (3,))
        return a, b, c, d, e, log

    check(program, ARRAY, [])


def test_iterators_and_generators_are_consumed_once():
    def program(make, a):
        it = iter(a * 2)
        first = next(it)
        rest = list(it)
        g = (v + 1 for v in a)
        return first, rest, sum(g), list(g), next(iter(make), None), list(zip(a, it, strict=False))

    check(program, [3, 4], ARRAY)


def test_default_arguments_and_keyword_only_arguments():
    def program(a, /, b=2, *rest, c=ARRAY, d, **others):
        return a * b + c, rest, d, sorted(others)

    check(program, ARRAY, kwargs={"d": 1})
    check(program, ARRAY, 3, 4, 5, kwargs={"d": 1, "c": 2, "e": 3})
    check(program, ARRAY)
    check(program, kwargs={"a": ARRAY, "d": 1})


def test_numpy_constants_and_functions_taken_by_several_names():
    from numpy import exp as e

    sine = np.sin

    def program(a):
        import numpy
        import numpy as other

        return e(a) * np.pi, sine(a) + np.e, numpy.cos(a), other.inf, np.nan, np.linalg.norm(a)

    check(program, ARRAY)


def test_a_function_without_arrays_runs_as_it_was():
    def program(n):
        words = []
        for i in range(n):
            words.append(str(i) * 2)
        return "-".join(words), {w: len(w) for w in words}

    check(program, 12)
