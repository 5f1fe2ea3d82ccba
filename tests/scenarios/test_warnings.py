"""Warnings: the same category, message, file, line and number of times as eager."""

import warnings

import numpy as np
import pytest

from tests.differential import check, check_calls, numbers

ZERO = np.array([0.0, 1.0, -1.0, 4.0])
MODES = ("ignore", "warn", "raise", "call", "print", "log")


@pytest.mark.parametrize("action", ["always", "default", "once", "module", "error", "ignore"])
def test_a_floating_point_warning_has_the_users_line(action):
    def program(x):
        a = x + 1
        b = np.log(x)
        c = 1 / x
        return a + b + c

    check(program, ZERO, action=action, captured=["operator.add"])


def test_a_warning_in_a_loop_is_given_each_time():
    def program(x, n):
        for i in range(n):
            y = np.sqrt(x - i)
        return y

    check(program, ZERO, 4)


def test_a_warning_in_some_calls_only():
    def program(x):
        y = x * 2
        z = 1 / y
        return z + 1

    check_calls(
        program, [(ZERO + 5,), (ZERO,), (ZERO + 5,), (ZERO,), (ZERO,), (ZERO,), (ZERO + 5,)] * 2
    )


def test_a_warning_before_an_effect_does_not_repeat_the_effect():
    def program(a, x):
        y = np.log(x)
        a += y
        return a

    check(program, np.ones(4), ZERO)


def test_a_warning_between_two_effects():
    def program(a, x):
        a += 1
        y = 1 / x
        a *= 2
        return a, y

    check(program, np.ones(4), ZERO)


def test_an_in_place_operation_that_warns():
    def program(a, b):
        a /= b
        return a

    check(program, np.ones(4), ZERO)


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("kind", ["divide", "invalid", "over", "under"])
def test_errstate_in_every_mode(mode, kind):
    class Log:
        def __init__(self):
            self.seen = []

        def write(self, text):
            self.seen.append(text)

        def __call__(self, text, flag):
            self.seen.append((text, flag))

    def program(x, tiny, huge):
        log = Log()
        with np.errstate(all="ignore"), np.errstate(**{kind: mode}, call=log):
            a = 1 / x
            b = np.log(-x - 1)
            c = huge * huge
            d = tiny * tiny
            e = a + b
        return a, b, c, d, e, log.seen

    check(program, ZERO, np.full(3, 1e-300), np.full(3, 1e300))


def test_errstate_ignore_then_flush_after_the_block():
    def program(x):
        with np.errstate(all="ignore"):
            y = 1 / x
        return y + 1

    check(program, ZERO, captured=["operator.truediv", "operator.add"])


def test_errstate_raise_caught_by_the_user():
    def program(x):
        y = x * 2
        try:
            with np.errstate(divide="raise"):
                z = 1 / y
                z = z + 1
        except FloatingPointError as error:
            print(error)
            z = y - 1
        return z

    check_calls(program, [(ZERO,), (ZERO + 5,)] * 4)


def test_seterr_inside_the_function_and_errstate_as_decorator():
    @np.errstate(divide="ignore")
    def quiet(x):
        return 1 / x

    def program(x):
        a = quiet(x) + 1
        old = np.seterr(divide="raise")
        try:
            b = 1 / x
        except FloatingPointError:
            b = x
        np.seterr(**old)
        return a, b, 1 / x

    check(program, ZERO)


def test_errstate_set_by_the_caller_changes_between_calls():
    def program(x):
        return 1 / x + 1

    from tests.differential import optimised

    fast = optimised(program)
    for mode in ("ignore", "warn", "raise", "ignore", "raise", "warn"):
        with np.errstate(divide=mode):
            check_calls(program, [(ZERO,), (ZERO + 5,)] * 2, fast=fast)


def test_warnings_of_numpys_python_code_name_the_users_line():
    def program(e, n):
        a = e.mean()
        b = np.nanmean(n)
        c = np.var(e)
        d = np.median(e)
        f = np.nanmax(n)
        return a, b, c, d, f, np.std(e, ddof=1)

    check(program, np.zeros(0), np.full(3, np.nan))


def test_complex_to_real_casts_warn():
    def program(z, out):
        a = z.astype(float)
        out[:] = z
        return a, out, np.array(z, dtype=np.float32)

    check(program, numbers(4, "complex128"), np.zeros(4))


def test_invalid_casts_to_integers_warn():
    def program(x):
        return x.astype(np.int32), np.array(x, dtype="u1"), x[2].astype(int)

    check(program, np.array([1.0, np.nan, 1e30]))


def test_scalar_overflow_and_division_warn():
    def program(i, f):
        a = i * i
        b = f / np.float64(0)
        c = np.int8(127) + i
        d = i // np.int8(0)
        return a, b, c, d, np.float64(0) / 0

    check(program, np.int8(100), np.float64(1))


def test_python_scalar_division_by_zero_raises():
    def program(x, n):
        y = x * 2
        return y * (1 / n)

    check(program, ZERO, 0)


@pytest.mark.parametrize("level", [1, 2, 3])
def test_user_warnings_with_stacklevel(level):
    def inner(level):
        warnings.warn("careful", UserWarning, stacklevel=level)

    def program(x, level):
        y = x * 2
        inner(level)
        z = y + 1
        return z

    check(program, ZERO, level)


def test_a_warning_filter_changed_inside_the_function():
    def program(x):
        a = 1 / x
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            try:
                b = 1 / x
            except RuntimeWarning as error:
                print("caught", error)
                b = x
        with warnings.catch_warnings(record=True) as seen:
            warnings.simplefilter("always")
            c = np.log(x)
        return a + b, c, [str(w.message) for w in seen]

    check(program, ZERO)


def test_a_deprecation_warning_of_numpy():
    def program(x):
        y = x + 1
        return y, np.in1d(x, y) if hasattr(np, "in1d") else None, np.trapezoid(y)

    check(program, ZERO)


def test_a_warning_in_an_inlined_helper_names_its_line():
    def helper(x):
        y = x * 2
        return 1 / y

    def program(x):
        return helper(x) + helper(x + 1)

    check(program, ZERO)


def test_an_unused_result_still_warns():
    def program(x):
        np.log(x)
        x / 0
        return x

    check(program, ZERO)


def test_underflow_is_ignored_and_subnormals_are_kept():
    def program(x):
        return x * 0.5, x * x, x / 3, np.exp(x * -1e310)

    check(program, np.array([5e-324, 1e-308, 2.2250738585072014e-308]))


def test_comparisons_and_extremes_with_nan_do_not_warn():
    def program(x):
        return x > 0, x == x, np.maximum(x, 0), x.max(), np.sort(x), np.fmax(x, 1), np.sign(x)

    check(program, np.array([np.nan, 1.0, -np.inf, np.inf, -0.0]))


def test_a_floating_point_error_callback_runs_once_per_operation():
    seen = []

    def callback(kind, flag):
        seen.append(kind)

    def program(x):
        with np.errstate(divide="call", invalid="call", call=callback):
            y = x + 1
            z = np.log(x)
            w = 1 / x
        return y, z, w, len(seen)

    check(program, ZERO)


def test_a_complex_scalar_cast_to_real_warns_at_the_users_line():
    def program(a):
        v = a.max()
        b = a * 2
        return v.astype(float, copy=False), b

    check_calls(program, [(x,) for x in (np.arange(3.0), np.arange(3) + 1j, np.arange(3) + 1j) * 2])


def test_an_in_place_product_of_one_complex_element_raises_eagers_flags():
    def program(a, n):
        a[..., n] *= 2
        return a

    check(program, np.array([1, complex(np.inf, np.nan)]), 1)
