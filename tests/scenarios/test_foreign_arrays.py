"""Arrays that are not plain: subclasses, masked, object, string, structured, datetime, byte-swapped."""

import datetime
import decimal
import fractions
import warnings

import numpy as np
import pytest

from tests.differential import check, check_calls

ARRAY = np.arange(1.0, 6.0)


class Tagged(np.ndarray):
    def __array_finalize__(self, other):
        self.tag = getattr(other, "tag", "fresh")

    def __add__(self, other):
        return "added"

    def total(self):
        return self.sum() * 2


def tagged(values, tag):
    array = np.array(values).view(Tagged)
    array.tag = tag
    return array


class Watched(np.ndarray):
    log: list = []

    def __array_ufunc__(self, ufunc, method, *inputs, **kwargs):
        self.log.append((ufunc.__name__, method))
        plain = [x.view(np.ndarray) if isinstance(x, Watched) else x for x in inputs]
        return getattr(ufunc, method)(*plain, **kwargs)


class Diverted:
    """Not an array at all, but it answers for NumPy's functions."""

    def __array_function__(self, function, kinds, args, kwargs):
        return function.__name__, len(args)

    def __array_ufunc__(self, ufunc, method, *inputs, **kwargs):
        return ufunc.__name__, method


def work(a):
    b = a * 2
    c = b - a
    return a, b, c, b[1:], a.shape, type(b).__name__


SPECIMENS = {
    "subclass": lambda: tagged([1.0, 2.0, 3.0], "mine"),
    "matrix": lambda: np.asmatrix([[1.0, 2.0], [3.0, 4.0]]),
    "masked": lambda: np.ma.masked_array([1.0, 2.0, 3.0], [0, 1, 0]),
    "record array": lambda: np.rec.fromarrays([[1, 2], [3.0, 4.0]], names="a,b").b,
    "object of ints": lambda: np.array([1, 2**70, -3], dtype=object),
    "object of fractions": lambda: np.array([fractions.Fraction(1, 3), 2], dtype=object),
    "object of decimals": lambda: np.array([decimal.Decimal("1.5"), 2], dtype=object),
    "object of arrays": lambda: np.array([np.ones(2), np.ones(3), None][:2], dtype=object),
    "timedelta": lambda: np.array([1, 5, -3], "m8[s]"),
    "byte-swapped": lambda: np.arange(4, dtype=">f8"),
    "byte-swapped integers": lambda: np.arange(4, dtype=">i2"),
    "with metadata": lambda: np.arange(3, dtype=np.dtype("f8", metadata={"unit": "m"})),
    "character": lambda: np.char.array(["ab", "c"]),
}


def make_specimen(name):
    """Arguments that hold one specimen; the warnings of deprecated classes are not the subject."""

    def make():
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return (SPECIMENS[name](),)

    return make


@pytest.mark.parametrize("specimen", SPECIMENS)
def test_arithmetic_on_arrays_that_are_not_plain(specimen):
    check(work, make=make_specimen(specimen))


@pytest.mark.parametrize("specimen", SPECIMENS)
def test_plain_and_other_arrays_take_turns(specimen):
    from tests.differential import optimised

    fast = optimised(work)
    for _ in range(2):
        check_calls(work, [(ARRAY,)] * 2, fast=fast)
        check_calls(work, [()] * 2, make=make_specimen(specimen), fast=fast)


def test_a_subclass_keeps_its_operators_and_attributes():
    def program(t, a):
        b = t * 2
        return b.tag, t + a, a + t, t.total(), np.sin(t).tag, t[1:].tag, t.view(np.ndarray) + 1

    check(program, make=lambda: (tagged([1.0, 2.0], "mine"), np.ones(2)))


def test_array_ufunc_runs_once_per_operation():
    def program(w, a):
        b = a * 2
        c = w + b
        d = np.exp(w)
        Watched.log.append("between")
        return c, d, np.add.reduce(w), list(Watched.log)

    def make():
        Watched.log.clear()
        return np.ones(3).view(Watched), np.ones(3)

    check(program, make=make)


def test_array_function_and_array_ufunc_of_a_foreign_class():
    def program(d, a):
        b = a + 1
        return np.concatenate([d, d]), np.sum(d), np.add(a, d), b + d, np.where(d, a, a)

    check(program, make=lambda: (Diverted(), ARRAY.copy()))


def test_masked_arrays_all_through():
    def program(m, a):
        b = m * 2 + a
        c = np.ma.filled(b, -1)
        m[0] = 7
        m.mask[1] = False
        return b, c, m.mean(), b.mask.sum(), np.sqrt(m), m > 2, m.compressed() * 2

    check(program, make=lambda: (np.ma.array([1.0, 2.0, 3.0], mask=[0, 1, 0]), np.ones(3)))


def test_string_and_bytes_arrays():
    def program(s, b):
        t = np.strings.upper(s) if hasattr(np, "strings") else np.char.upper(s)
        return (
            t,
            s == "ab",
            np.char.add(s, "x"),
            s[0],
            s[::-1],
            np.sort(s),
            b + b"z" if 0 else b,
            len(s),
        )

    check(program, np.array(["ab", "c", "ab"]), np.array([b"xy", b"z"]))


def test_variable_width_string_arrays():
    def program(s):
        return s + s, s == "b", np.strings.str_len(s), s[1:], s[0] + "x"

    check(program, make=lambda: (np.array(["a", "b" * 40, ""], dtype=np.dtypes.StringDType()),))


def test_structured_arrays_give_eagers_answer():
    def program(r):
        x = r["x"] * 2
        r["y"] += x
        r[0] = (9, 9.5)
        first = r[1]
        return x, r, first["x"] + 1, r[["y"]], r["x"].sum(), r.dtype.names

    check(program, np.array([(1, 2.0), (3, 4.0)], dtype=[("x", "i4"), ("y", "f8")]))


def test_datetime_arrays_give_eagers_answer():
    def program(d, t):
        late = d + t
        span = late - d
        return (
            late,
            span,
            d > np.datetime64("2020-01-02"),
            span / np.timedelta64(1, "h"),
            d.max(),
            d[0],
        )

    check(
        program,
        np.array(["2020-01-01", "2020-02-03", "NaT"], "M8[D]"),
        np.array([1, 2, 3], "m8[D]"),
    )


def test_object_arrays_run_user_code_once():
    log = []

    class Number:
        def __init__(self, v):
            self.v = v

        def __add__(self, other):
            log.append("add")
            return Number(self.v + (other.v if isinstance(other, Number) else other))

        __radd__ = __add__

        def __lt__(self, other):
            log.append("lt")
            return self.v < other.v

    def program(o, a):
        b = a * 2
        c = o + 1
        d = o.sum()
        e = np.sort(o)
        return b, [x.v for x in c], d.v, [x.v for x in e], len(log)

    def make():
        log.clear()
        return np.array([Number(3), Number(1)], dtype=object), ARRAY.copy()

    check(program, make=make)


def test_python_dates_and_decimals_beside_arrays():
    def program(a, d, x):
        b = a * 2
        return b, d + datetime.timedelta(days=1), x * 2, [d, x]

    check(program, ARRAY, datetime.date(2020, 1, 1), decimal.Decimal("1.50"))


def test_memmaps_and_buffers():
    raw = bytearray(np.arange(4.0).tobytes())

    def program(a):
        b = np.frombuffer(a) * 2
        view = memoryview(b)
        return b, view.shape, np.asarray(view) is b, np.asarray(view) + 1, np.array(view)

    check(program, raw)


def test_poly_and_matrix_and_record_helpers():
    def program(a):
        p = np.polynomial.Polynomial([1, 2, 3])
        return p(a), np.poly1d([1, 0, 2])(a), np.asmatrix(np.eye(2)) * 3, p.deriv().coef

    check(program, ARRAY)


def test_a_function_that_makes_subclasses_of_plain_arrays():
    def program(a):
        t = a.view(Tagged)
        t.tag = "new"
        u = t * 2
        return u, u.tag, t + 1, (t - 1).view(np.ndarray) + 1, np.ma.masked_greater(a, 3) + 1

    check(program, ARRAY)
