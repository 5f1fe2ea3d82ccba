"""The first call: types are learnt, code is compiled and the running frame moves into it."""

import time

import numpy as np
import pytest

import dyntrace
from dyntrace import config
from tests.differential import check, optimised

ARRAY = np.arange(1.0, 6.0)
in_place = pytest.mark.skipif(not config.native, reason="frames are moved by the native module")


def graph_calls_of_the_first_call(program, *args, drive=None):
    """How many regions ran during the very first call of `program`."""
    fast = dyntrace.optimize(program)
    result = fast(*args)
    if drive is not None:
        drive(result)
    return dyntrace.stats(fast).graph_calls


@in_place
def test_a_hot_loop_is_compiled_in_the_call_that_runs_it():
    def program(x, n, log):
        for i in range(n):
            x = x * 0.5 + i
            if i % 100 == 0:
                log.append(i)
        return x

    assert graph_calls_of_the_first_call(program, ARRAY, 500, []) > 400
    check(program, ARRAY, 500, [], calls=2)


@in_place
def test_a_while_loop_is_compiled_in_the_call_that_runs_it():
    def program(x):
        steps = 0
        while x.sum() > 1e-3:
            x = x * 0.9
            steps += 1
        return x, steps

    assert graph_calls_of_the_first_call(program, ARRAY) > 80
    check(program, ARRAY, calls=2)


@in_place
def test_a_loop_goes_on_compiled_after_a_handler_fired():
    def program(x, n):
        caught = 0
        for i in range(n):
            try:
                y = x * i + 1
                x = y + np.ones(3 if i == 0 else 5)
            except ValueError:
                caught += 1
                continue
            x = x - y
        return x, caught

    assert graph_calls_of_the_first_call(program, ARRAY, 60) > 80
    check(program, ARRAY, 60, calls=2)


@in_place
def test_a_generator_is_compiled_in_its_first_run():
    def program(x, n):
        for i in range(n):
            x = x * 0.5 + i
            yield x

    assert graph_calls_of_the_first_call(program, ARRAY, 80, drive=list) > 60


@in_place
def test_a_coroutine_is_compiled_in_its_first_run():
    async def program(x, n):
        for i in range(n):
            x = x * 0.5 + i
        return x

    def drive(coroutine):
        with pytest.raises(StopIteration):
            coroutine.send(None)

    assert graph_calls_of_the_first_call(program, ARRAY, 80, drive=drive) > 60


@in_place
def test_nested_loops_are_compiled_in_their_first_run():
    def program(a):
        for i in range(a.shape[0]):
            for j in range(a.shape[1]):
                a[i, j] = a[i, j] * 2 + i
        return a

    assert graph_calls_of_the_first_call(program, np.ones((12, 12))) > 100


@in_place
def test_a_callee_behind_a_break_is_compiled_too():
    def callee(x):
        y = x * 2
        print(end="")
        return y + 1

    def program(x):
        for _ in range(40):
            x = callee(x) * 0.5
        return x

    assert graph_calls_of_the_first_call(program, ARRAY) > 80


def test_work_before_and_after_a_loop_in_one_call():
    def program(x):
        y = x * 2
        total = 0
        for v in y:
            total += v * 2
        z = y - total
        for _ in range(3):
            z = z + y
        return z

    check(program, ARRAY)


def test_the_first_call_takes_milliseconds():
    lines = ["def program(a, b):"]
    for i in range(10):
        lines.append(f"    a = np.sqrt(a * a + {i})")
        lines.append("    b = b + a")
    lines.append("    return a, b")
    space = {"np": np}
    exec("\n".join(lines), space)
    optimised(space["program"])(ARRAY, ARRAY)
    took = []
    for _ in range(3):
        exec("\n".join(lines), space)
        fast = optimised(space["program"])
        start = time.perf_counter()
        fast(ARRAY, ARRAY)
        took.append(time.perf_counter() - start)
    assert min(took) < 0.15


def test_state_that_lives_from_call_to_call():
    class Filter:
        def __init__(self):
            self.mean = None
            self.count = 0
            self.history = []

        def update(self, x):
            self.count += 1
            if self.mean is None:
                self.mean = x * 1.0
            else:
                self.mean = self.mean + (x - self.mean) / self.count
            self.history.append(self.mean)
            return self.mean

    eager, traced = Filter(), Filter()
    fast = optimised(Filter.update)
    for k in range(8):
        x = (ARRAY * k).astype([np.float64, np.float32, int][k % 3])
        expected, actual = eager.update(x), fast(traced, x)
        assert expected.dtype == actual.dtype and np.array_equal(expected, actual)
        assert actual is traced.mean is traced.history[-1] and eager.count == traced.count


def test_a_memo_in_a_global_dict_and_a_default_argument():
    memo = {}

    def cached(n):
        if n not in memo:
            memo[n] = np.arange(n) * 2
        return memo[n]

    def program(n, seen=[]):  # noqa: B006
        seen.append(n)
        return cached(n) + 1, len(seen), cached(n) is cached(n)

    fast = optimised(program)
    for n in (3, 3, 4, 3):
        a, count, same = fast(n)
        assert np.array_equal(a, np.arange(n) * 2 + 1) and same
    assert count == 4


def test_results_of_earlier_calls_are_not_overwritten_by_later_ones():
    def program(x):
        y = x * 2
        return y, y + 1, (y - 1)[1:]

    fast = optimised(program)
    kept = [fast(np.full(50, float(k))) for k in range(20)]
    for k, (a, b, c) in enumerate(kept):
        assert (a == 2 * k).all() and (b == 2 * k + 1).all() and (c == 2 * k - 1).all()


@pytest.mark.parametrize("size", [10, 10_000, 300_000])
def test_an_argument_modified_between_calls_is_seen(size):
    def program(x):
        return (x * 2 + 1).sum(), x[::2] - 1

    fast = optimised(program)
    x = np.zeros(size)
    for k in range(6):
        x[:] = k
        expected, actual = program(x), fast(x)
        assert expected[0] == actual[0] and np.array_equal(expected[1], actual[1])
