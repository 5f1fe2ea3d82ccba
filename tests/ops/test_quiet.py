"""Quiet clones compute what NumPy's functions compute, and raise where those warn."""

from __future__ import annotations

import operator
import warnings

import numpy as np
import pytest

from dyntrace.ops import registry
from dyntrace.ops.quiet import _MEMO, GivesUp, WouldWarn, quiet

NAN = np.full((2, 3), np.nan)
WARNING_CALLS = [
    (np.mean, (np.array([]),)),
    (np.var, (np.array([]),)),
    (np.std, (np.ones(1),), {"ddof": 2}),
    (np.nanmean, (NAN,)),
    (np.nanmean, (NAN, 0)),
    (np.nanmax, (NAN, 0)),
    (np.nanmedian, (NAN, 0)),
    (np.nanvar, (NAN,)),
    (np.nanstd, (NAN, 1)),
    (np.nanquantile, (NAN, 0.5, 0)),
    (np.median, (np.array([]),)),
    (np.average, (np.array([]),)),
    (np.cov, (np.ones((2, 1)),)),
    (np.corrcoef, (np.empty((2, 0)),)),
    (np.polyfit, (np.ones(4), np.ones(4), 2)),
    (np.histogram, (np.array([True, False]),)),
]


@pytest.mark.parametrize("sample", WARNING_CALLS, ids=lambda s: s[0].__name__)
def test_clone_raises_where_numpy_warns_and_shows_nothing(sample):
    function, args, kwargs = (*sample, {})[:3]
    with warnings.catch_warnings(record=True) as shown, np.errstate(all="ignore"):
        warnings.simplefilter("always")
        with pytest.raises(GivesUp):
            registry.record_of(function).op.target(*args, **kwargs)
    assert shown == []


@pytest.mark.parametrize("name", ["mean", "std", "var"])
def test_methods_raise_on_an_empty_array(name):
    with np.errstate(all="ignore"), pytest.raises(WouldWarn):
        registry.method(name).op.target(np.array([]))


@pytest.mark.parametrize("name", ["mean", "std", "var"])
@pytest.mark.parametrize("dtype", ["?", "i4", "f2", "f4", "f8", "c8"])
@pytest.mark.parametrize("axis", [None, 0, 1, (0, 1)])
def test_methods_have_the_bits_of_numpy(name, dtype, axis):
    value = (np.arange(12) % 5).reshape(3, 4).astype(dtype)
    mine = registry.method(name).op.target(value, axis)
    eager = getattr(value, name)(axis)
    assert type(mine) is type(eager) and mine.tobytes() == eager.tobytes()


def test_clone_of_a_function_in_c_is_itself():
    assert quiet(np.concatenate) is np.concatenate
    assert quiet(np.add) is np.add


@pytest.mark.parametrize("name", ["svd", "lstsq", "matrix_rank", "cond", "norm"])
def test_what_lapack_would_print_about_gives_up_first(name, capfd):
    matrix = np.full((3, 3), np.inf)
    rest = {"lstsq": (np.ones(3),), "norm": (2,)}.get(name, ())
    with np.errstate(all="ignore"), pytest.raises(GivesUp):
        registry.record_of(getattr(np.linalg, name)).op.target(matrix, *rest)
    assert capfd.readouterr() == ("", "")


def test_truth_of_an_empty_array_gives_up():
    for function in (bool, operator.not_):
        with pytest.raises(WouldWarn):
            registry.record_of(function).op.target(np.array([]))


def test_replaced_function_of_numpy_makes_the_clone_give_up(monkeypatch):
    clone = registry.record_of(np.nanmedian).op.target
    monkeypatch.setattr(np, "isnan", lambda a: a)
    with pytest.raises(GivesUp):
        clone(np.ones((2, 3)), 0)


def test_a_function_that_the_program_has_exchanged_gives_up(monkeypatch):
    called = []
    inside = np.nanmean._implementation.__globals__
    monkeypatch.setitem(inside, "_replace_nan", lambda *args: called.append(args))
    monkeypatch.setattr("dyntrace.ops.quiet._MEMO", {id(warnings): _MEMO[id(warnings)]})
    with pytest.raises(GivesUp):
        quiet(np.nanmean)(NAN)
    assert called == []
