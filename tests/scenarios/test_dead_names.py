"""Names that are never read again still hold their objects: reference counts are eager's."""

from __future__ import annotations

import sys
import weakref

import numpy as np
import pytest

import dyntrace
from dyntrace.trace.marks import tag_of
from tests.differential import explanation


class Thing:
    pass


@dyntrace.disable
def counts(*values):
    return [sys.getrefcount(value) for value in values]


@dyntrace.disable
def resized(array):
    try:
        array.resize(5)
    except ValueError:
        return "referenced"
    return array.tolist()


def alias_of_an_input(x):
    t = x * 2
    y = x  # noqa: F841
    return resized(x), counts(t)


def alias_of_a_result(x):
    t = x * 2
    u = t  # noqa: F841
    return resized(t)


def the_only_name_of_an_argument(x):
    t = x * 2
    return resized(t)


def chained_assignment(x):
    a = b = x * 2  # noqa: F841
    return counts(a)


def view_of_an_input(x):
    t = x * 2
    v = x[1:]  # noqa: F841
    return resized(x), counts(t)


def view_of_a_result(x):
    t = x * 2
    v = t[1:]  # noqa: F841
    return resized(t)


def view_that_may_be_the_array_itself(x):
    t = x * 2
    same, flat, turned = np.asarray(x), np.atleast_1d(x), x.T  # noqa: F841
    return counts(x, t)


def in_containers(x):
    t = x * 2
    pair, items, named = (x, 1), [x, t], {"x": x}  # noqa: F841
    return counts(x, t)


def in_a_bound_method(x):
    t = x * 2
    method = t.sum  # noqa: F841
    return resized(t)


def in_a_cell(x):
    def reads():
        return y

    y = x
    t = x * 2
    return counts(x, t)


def in_a_loop(x):
    for start in range(3):
        view = x[start:]
        total = view.sum()
    return counts(x, total)


def no_longer_named(x):
    y = x
    t = x * 2
    y = None  # noqa: F841
    return counts(x), resized(t)


def cleared_before_a_call(x):
    thing = Thing()
    alive = weakref.ref(thing)
    counts(thing)
    t = x * 2
    thing = None
    return counts(t), alive() is None


def overwritten_by_an_array(x):
    thing = Thing()
    alive = weakref.ref(thing)
    counts(thing)
    t = x * 2
    thing = t + 1
    return counts(t), alive() is None


PROGRAMS = [
    alias_of_an_input,
    alias_of_a_result,
    the_only_name_of_an_argument,
    chained_assignment,
    view_of_an_input,
    view_of_a_result,
    view_that_may_be_the_array_itself,
    in_containers,
    in_a_bound_method,
    in_a_cell,
    in_a_loop,
    no_longer_named,
    cleared_before_a_call,
    overwritten_by_an_array,
]


@pytest.mark.parametrize("program", PROGRAMS, ids=lambda program: program.__name__)
def test_reference_counts_are_those_of_eager(program):
    fast = dyntrace.optimize(program)
    for _ in range(5):
        assert fast(np.arange(3.0) + 0) == program(np.arange(3.0) + 0)
    assert explanation(program, np.arange(3.0)).graphs


def test_an_array_made_inside_is_still_referenced_by_its_second_name():
    def program(n):
        x = np.zeros(n)
        y = x  # noqa: F841
        x.resize(5)
        return x

    fast = dyntrace.optimize(program)
    for _ in range(4):
        with pytest.raises(ValueError, match="referenced"):
            fast(3)


def test_a_view_that_no_call_can_see_is_not_made():
    def program(a, b):
        for _ in range(20):
            left, right = a[1:], a[:-1]
            b[1:] = left - right
        return b

    fast = dyntrace.optimize(program)
    a = np.arange(8.0)
    for _ in range(4):
        np.testing.assert_array_equal(fast(a, np.zeros(8)), program(a, np.zeros(8)))
    plans = tag_of(fast).compiled.plans()
    assert any(plan.layout.effect_only for plan, _ in plans)
