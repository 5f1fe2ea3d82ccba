"""Large targets are rehearsed tile by tile; NumPy's own call then writes them, without a copy."""

import functools

import numpy as np
import pytest

from tests.exec.effects.running import commit_of, functions_of, numbers, run, writing

SHAPE = (300, 200)
BIG = np.finfo("d").max


class InPlace:
    """Operators whose targets are large."""

    def add(x, y):
        x += y

    def multiply(x, y):
        x *= y

    def divide(x, y):
        x /= y

    def subtract(x, y):
        x -= y


OTHERS = {
    "array": lambda x: np.array(x) + 1,
    "other order": lambda x: np.asarray(x + 1, order="C" if x.flags.f_contiguous else "F"),
    "row": lambda x: np.arange(1.0, 201),
    "scalar": lambda x: np.float64(3),
    "itself": lambda x: x,
    "reversed": lambda x: x[::-1],
}
RAISING = {"divide": 0, "subtract": -BIG}  # what raises a flag where x is BIG; else BIG itself


def large(order, other, operator=None):
    """Target and operand; those of which `operator` raises a flag near the end, if it is given."""
    if order == "strided":
        x = numbers("d", (600, 200))[::2]
    else:
        x = np.asarray(numbers("d", SHAPE), order=order)
    y = OTHERS[other](x)
    if operator is not None:
        x[-1, -2] = BIG
        if isinstance(y, np.ndarray) and y.ndim == 2:
            y[-1, -2] = y[0, -2] = RAISING.get(operator, BIG)
    return x, y


@pytest.mark.parametrize("operator", functions_of(InPlace))
@pytest.mark.parametrize("order", ["C", "F", "strided"])
@pytest.mark.parametrize("other", OTHERS)
def test_large_targets_are_rehearsed_and_not_copied(compile_graph, operator, order, other):
    fn = functions_of(InPlace)[operator]
    good = functools.partial(large, order, other)
    bad = functools.partial(large, order, other, operator)
    assert run(compile_graph, fn, good) == "committed"
    if other not in ("row", "scalar", "reversed") and (other, operator) != ("itself", "subtract"):
        assert run(compile_graph, fn, bad, good) == "refused"
    commit = commit_of(compile_graph, fn, good)
    rehearsed = order != "strided" and other in ("array", "scalar", "itself")
    assert (type(commit.func) is np.ufunc) == rehearsed


class Outputs:
    """Calls with large outputs."""

    def exp(x, a):
        np.exp(a, out=x)

    def add(x, a):
        np.add(a, 2.0, x)

    def log(x, a):
        np.log(a, out=(x,))


RAISING_ITEM = {"exp": 1e4, "log": -1.0}


@pytest.mark.parametrize("call", functions_of(Outputs))
def test_large_outputs_are_rehearsed_and_not_copied(compile_graph, call):
    def build(item=3.0):
        a = np.full(SHAPE, 2.0)
        a[299, 198] = item
        return np.zeros(SHAPE), a

    fn = functions_of(Outputs)[call]
    assert run(compile_graph, fn, build) == "committed"
    assert type(commit_of(compile_graph, fn, build).func) is np.ufunc
    if call in RAISING_ITEM:
        bad = functools.partial(build, RAISING_ITEM[call])
        assert run(compile_graph, fn, bad, build) == "refused"


def test_integers_are_added_without_a_copy(compile_graph):
    x, y = np.arange(5), np.arange(5)
    commit = commit_of(compile_graph, InPlace.add, lambda: (x, y))
    assert commit.func is np.add
    commit()
    assert x.tolist() == [0, 2, 4, 6, 8]
    small = np.array([250], "B")
    assert commit_of(compile_graph, InPlace.add, lambda: (small, 5)).func is np.add
    with pytest.raises(OverflowError):
        writing(InPlace.add, (small, 5)).compiled(compile_graph)(small, 300)
