"""Writes into results of `np.broadcast_arrays`, which NumPy warns of once, at the user's line.

Invariant: dyntrace neither causes such a warning (looking at `flags.writeable` does) nor loses it.
"""

import warnings

import numpy as np
import pytest

import dyntrace


def item(a, x):
    a[0] = 5.0
    return a


def made_and_written(a, x):
    first, _ = np.broadcast_arrays(x, np.ones(4))
    first[0] = 5.0
    return first


def operator(a, x):
    a += x
    return a.sum()


def out(a, x):
    np.add(a, x, out=a)
    return a.sum()


def view(a, x):
    part = a[1:]
    part[:] = x[1:]
    return part * 2.0


def masked(a, x):
    a[a > 0] = 1.0
    return a


def gathered(a, x):
    a[[0, 1]] = 3.0
    return a * x


def filled(a, x):
    a.fill(2.0)
    return a


def copied(a, x):
    np.copyto(a, x)
    return a


def branch(a, x):
    if a.sum() > 0:
        a[0] = 1.0
    a[1] = 2.0
    return a


def read_only(a, x):
    copy = a.copy()
    copy += a * 2.0
    return copy, a.T + x, np.asarray(a) * 2.0


FUNCTIONS = [
    item,
    made_and_written,
    operator,
    out,
    view,
    masked,
    gathered,
    filled,
    copied,
    branch,
    read_only,
]
MAKERS = {
    "same shape": lambda: np.broadcast_arrays(np.arange(4.0), np.ones(4))[0],
    "stretched": lambda: np.broadcast_arrays(np.arange(1.0), np.ones(4))[0],
    "diagonal": lambda: np.diagonal(np.ones((4, 4))),
    "ordinary": lambda: np.arange(4.0),
}


def outcome(fn, make):
    array = make()
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        try:
            result = repr(fn(array, np.ones(4)))
        except ValueError as error:
            result = repr(error)
    return result, repr(array), [(w.category, str(w.message), w.filename, w.lineno) for w in caught]


@pytest.mark.parametrize("maker", MAKERS)
@pytest.mark.parametrize("fn", FUNCTIONS)
def test_write_warns_as_often_and_where_it_does_in_numpy(fn, maker):
    fast = dyntrace.optimize(fn)
    for _ in range(6):
        assert outcome(fast, MAKERS[maker]) == outcome(fn, MAKERS[maker])


def test_one_warning_for_one_array():
    assert len(outcome(dyntrace.optimize(item), MAKERS["stretched"])[2]) == 1
