"""Floating-point trouble in a pass: each mode of errstate, each action of the warnings filters."""

import warnings

import numpy as np
import pytest

from tests.scenarios.loops.hot import PASSES, TROUBLE, hot

MODES = ("ignore", "warn", "raise", "call", "print", "log")
KINDS = {
    "divide": (1.0, 0.0),
    "over": (1e308, 1e-10),
    "under": (1e-308, 1e10),
    "invalid": (0.0, 0.0),
}


def with_trouble(kind, *passes):
    """Numerators and denominators that are harmless but in these passes."""
    x, y = np.linspace(1.0, 2.0, PASSES), np.linspace(2.0, 3.0, PASSES)
    for index in passes:
        x[index], y[index] = KINDS[kind]
    return x, y


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("mode", MODES)
def test_an_error_of_each_kind_in_each_mode(kind, mode):
    def program(x, y, out, mode):
        seen = []

        class Log:
            def write(self, text):
                seen.append(text)

        handler = Log() if mode == "log" else lambda text, flags: seen.append((text, flags))
        with np.errstate(all=mode, call=handler):
            for i in range(len(x)):
                out[i] = -1.0
                out[i] = x[i] / y[i]
        return out, seen

    hot(program, *with_trouble(kind, TROUBLE), np.zeros(PASSES), mode)
    hot(program, *with_trouble(kind, 0, 1, TROUBLE, PASSES - 1), np.zeros(PASSES), mode)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("action", ["always", "default", "module", "once", "error", "ignore"])
def test_an_error_of_each_kind_under_each_filter(kind, action):
    def program(x, y, out):
        for i in range(len(x)):
            out[i] = -1.0
            out[i] = x[i] / y[i]
        return out

    args = *with_trouble(kind, TROUBLE, TROUBLE + 1), np.zeros(PASSES)
    hot(program, *args, action=action)


def test_two_lines_that_warn_in_one_pass():
    def program(x, y, out):
        for i in range(len(x)):
            a = x[i] / y[i]
            b = np.sqrt(y[i] - 2.0) + a
            out[i] = a - b
        return out

    for action in ("always", "default", "error"):
        hot(program, *with_trouble("divide", TROUBLE, 900), np.zeros(PASSES), action=action)


def test_a_warning_in_every_pass():
    def program(x, out):
        for i in range(len(x)):
            out[i] = 1.0 / x[i]
        return out

    hot(program, np.zeros(400), np.zeros(400))
    hot(program, np.zeros(PASSES), np.zeros(PASSES), action="default")
    hot(program, np.zeros(PASSES), np.zeros(PASSES), action="ignore")


def test_a_warning_that_the_program_catches():
    def program(x, out):
        caught = 0
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            for i in range(len(x)):
                try:
                    out[i] = 1.0 / x[i]
                except RuntimeWarning:
                    caught += 1
                    out[i] = -1.0
        return out, caught

    x = np.ones(PASSES)
    x[[0, TROUBLE]] = 0.0
    hot(program, x, np.zeros(PASSES))


def test_a_filter_that_changes_in_one_pass():
    def program(x, out, trouble):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            for i in range(len(x)):
                if i == trouble:
                    warnings.simplefilter("error", RuntimeWarning)
                out[i] = 1.0 / x[i]
        return out

    x = np.ones(PASSES)
    x[[5, TROUBLE - 1, TROUBLE + 30]] = 0.0
    hot(program, x, np.zeros(PASSES), TROUBLE)


def test_a_mode_that_changes_in_one_pass():
    def program(x, out, trouble):
        with np.errstate(all="ignore"):
            for i in range(len(x)):
                if i == trouble:
                    np.seterr(divide="raise")
                out[i] = 1.0 / x[i]
        return out

    x = np.ones(PASSES)
    x[[5, TROUBLE - 1, TROUBLE + 30]] = 0.0
    hot(program, x, np.zeros(PASSES), TROUBLE)


def test_errstate_entered_in_the_body():
    def program(x, out):
        for i in range(len(x)):
            with np.errstate(divide="ignore" if i % 2 else "warn"):
                out[i] = 1.0 / x[i]
            out[i] += np.log(x[i])
        return out

    x = np.ones(900)
    x[[TROUBLE, TROUBLE + 1]] = 0.0
    hot(program, x, np.zeros(900))


def test_errstate_as_a_decorator_of_a_function_that_is_called():
    @np.errstate(divide="ignore")
    def quiet(x):
        return 1.0 / x

    def loud(x):
        return 1.0 / x

    def program(x, out):
        for i in range(len(x)):
            out[i] = quiet(x[i]) + (loud(x[i]) if i % 2 else 0.0)
        return out

    x = np.ones(900)
    x[[TROUBLE, TROUBLE + 1]] = 0.0
    hot(program, x, np.zeros(900))


def test_errors_before_the_loop_do_not_count():
    def program(x, out):
        with np.errstate(all="ignore"):
            z = np.array([1.0, 0.0]) / 0.0
        y = z[1]
        with np.errstate(all="raise"):
            for i in range(len(x)):
                out[i] = x[i] * 0.5
        return out, y

    hot(program, np.linspace(1.0, 2.0, PASSES), np.zeros(PASSES))


def test_python_numbers_raise_no_flags():
    def program(n, big, out):
        with np.errstate(all="raise"):
            for i in range(n):
                out[i] = big * 10.0 - big * 10.0
                out[i] = big * 1e-320 * 1e-320
        return out

    hot(program, PASSES, 1e308, np.zeros(PASSES))


def test_nan_and_infinity_go_through_without_a_flag():
    def program(x, out):
        s = 0.0
        for i in range(1, len(x)):
            out[i] = x[i] + x[i - 1] * 2.0
            s = out[i] if out[i] > s else s
            out[i] = -out[i] if x[i] < 0 else out[i]
        return out, s

    x = np.linspace(-1.0, 1.0, PASSES)
    x[[3, TROUBLE]] = np.nan
    x[[5, 900]] = np.inf
    x[901] = np.inf
    for mode in ("raise", "warn"):
        with np.errstate(all=mode):
            hot(program, x, np.zeros(PASSES))
    x[902] = -np.inf
    hot(program, x, np.zeros(PASSES))


@pytest.mark.parametrize("name", ["nan", "inf", "ninf"])
def test_comparisons_with_special_values(name):
    odd = {"nan": np.nan, "inf": np.inf, "ninf": -np.inf}[name]

    def program(x, odd):
        hits = 0
        for i in range(len(x)):
            hits += (x[i] < odd) + 2 * (x[i] <= odd) + 4 * (x[i] == x[i]) + 8 * (x[i] != odd)
            hits += (not x[i] > odd) + (1 if x[i] >= 0.0 else 0)
        return hits

    x = np.sin(np.arange(PASSES))
    x[[1, 5, TROUBLE]] = odd
    for values in (x, x.tolist(), x.astype(np.float32)):
        hot(program, values, odd)
        hot(program, values, np.float32(odd))


def test_sums_that_overflow_late():
    def program(x, factor):
        p, s = 1.0, x[0] * 0
        for i in range(len(x)):
            p *= factor
            s = s * 2 + x[i]
        return p, s

    hot(program, np.ones(PASSES), 1.5)
    hot(program, np.ones(PASSES, np.float32), 0.5)
    hot(program, np.ones(PASSES).tolist(), 1.5)


@pytest.mark.parametrize("mode", ["warn", "raise", "ignore"])
def test_array_work_in_a_pass_that_overflows(mode):
    def program(a, mode):
        with np.errstate(all=mode):
            for i in range(1, len(a)):
                a[i] += a[i - 1] * 2.0
                a[i, 1:] -= a[i, :-1]
        return a

    hot(program, np.linspace(0.0, 1.0, 6000).reshape(1500, 4), mode)


def test_results_of_an_arm_that_is_not_compiled_are_not_looked_at_in_another():
    def program(x, m):
        t = x[0]
        for i in range(1, len(x)):
            t *= x[i]
            if not x[0]:
                x[1] -= t
                m *= 0.5
            elif x[2]:
                if i == 2:
                    m[0] *= 0.5
        return t, x, m

    for dtype in ("float32", "float64"):
        x = np.linspace(0.5, 1.5, PASSES).astype(dtype)
        hot(program, x, np.ones((4, 5), dtype))


def test_conversions_that_raise_a_flag():
    def program(x, ints):
        for i in range(len(x)):
            ints[i] = x[i]
        return ints

    for odd in (np.nan, np.inf, 1e300, -1e300):
        x = np.linspace(0.0, 100.0, PASSES)
        x[[TROUBLE, TROUBLE + 2]] = odd
        with np.errstate(over="ignore"):
            narrow = x.astype(np.float32)
        for action in ("always", "error"):
            hot(program, x, np.zeros(PASSES, np.int64), action=action)
            hot(program, narrow, np.zeros(PASSES, np.uint8), action=action)


def test_narrowing_stores_that_overflow():
    def program(x, small):
        for i in range(len(x)):
            small[i] = x[i] * 2.0
        return small

    x = np.linspace(0.0, 100.0, PASSES)
    x[[TROUBLE, TROUBLE + 2]] = 1e300, 1e-320
    for dtype in ("float32", "float16"):
        for action in ("always", "error"):
            hot(program, x, np.zeros(PASSES, dtype), action=action)


@pytest.mark.parametrize("action", ["always", "error"])
@pytest.mark.parametrize("dtype", ["f", "d"])
def test_flags_that_vectorised_functions_raise_by_feraiseexcept_are_seen(dtype, action):
    def program(values, x, out):
        for i in range(len(values)):
            x[0] = values[i]
            row = np.exp(x)
            out[i] = x[0]
        return out, row

    values = np.linspace(0.0, 1.0, PASSES)
    values[TROUBLE] = 1000
    hot(program, values, np.zeros(16, dtype), np.zeros(PASSES), action=action)
