"""Two names of one number are two names of one object after a loop, as they are in it."""

import types

import numpy as np
import pytest

from tests.scenarios.loops.hot import PASSES, hot, iterations


def named_twice(x, y, scale):
    best = seen = rate = 0.0
    for _i, (item, other) in enumerate(zip(x, y)):
        best = seen = item
        rate = scale
    return best, seen, item, other, rate, best is seen is item, rate is scale


def swapped(x, y, scale):
    a, b, c = x[0], y[0], y[0]
    for i in range(len(x)):
        a, b = b, x[i]
        c = b
    return a, b, c, c is b, a is b


def of(dtype):
    x = np.linspace(0.0, 100.0, PASSES).astype(dtype)
    return x, x[::-1].copy(), 1e9


@pytest.mark.parametrize("program", [named_twice, swapped])
def test_loops_with_two_names_of_one_number_run_ahead(program):
    fresh = types.FunctionType(program.__code__.replace(co_name="fresh"), globals())
    assert iterations(fresh, *of("d"))[0] > PASSES - 10


@pytest.mark.parametrize("program", [named_twice, swapped])
@pytest.mark.parametrize("dtype", ["d", "f", "q"])
def test_names_of_one_number_stay_names_of_one_object(program, dtype):
    hot(program, *of(dtype))
