"""What is too little work for a region is left to CPython, and said to be."""

import math

import numpy as np
import pytest

import dyntrace
from dyntrace import config
from dyntrace.trace.marks import tag_of
from dyntrace.trace.regions.worth import COSTS

pytestmark = pytest.mark.usefixtures("without_loops")

A = np.linspace(0.5, 1.5, 12)
M = np.arange(36.0).reshape(6, 6)
K = np.arange(12)
Z = A + 1j


@pytest.fixture
def estimated(monkeypatch):
    """Regions are made as users get them, and no clock gives one up during a test."""
    monkeypatch.setattr(config, "measure", True)


def sieve(a):
    marks = np.ones(30, dtype=bool)
    for i in range(2, 30):
        if marks[i]:
            for k in range(i * i, 30, i):
                marks[k] = False
    return marks


def recurrence(a):
    for i in range(1, a.shape[0]):
        a[i] = a[i - 1] * 0.5
    return a


def accumulated(a):
    for i in range(1, len(a)):
        a[i] += a[i - 1]
    return a


def numbers(a):
    value, path = 0.0, np.zeros(9)
    for i in range(9):
        error = 1.0 - value
        value += min(max(error * 1.2, -1.0), 1.0) * 0.1
        path[i] = value
    return path


def state_update(a):
    for _ in range(9):
        a[0] += a[3] * math.cos(a[2]) * 0.1
        a[1] += a[3] * math.sin(a[2]) * 0.1
        a[2] += 0.5
        a[3] = 0.25
    return a


def complex_elements(a):
    z = a + 1j
    total = 0j
    for i in range(1, len(z)):
        total += z[i] * (1 - 2j) + z[i - 1]
    return total


def swapped(a):
    for i in range(len(a) - 1):
        if a[i] < a[i + 1]:
            a[i], a[i + 1] = a[i + 1], a[i]
    return a


def windows(a):
    total = 0.0
    for i in range(len(a) - 4):
        part = a[i : i + 4]
        total += float(part[0]) - float(part[3])
    return total


def small_arrays(a):
    found = np.array([0.0, 0.0])
    for i in range(len(a)):
        found = np.array([min(found[0], a[i]), max(found[1], a[i])])
    return found


def rows_moved(a):
    m, rows = np.zeros((5, 4)), [a[:4], a[4:8]]
    for i in range(5):
        m[i] = rows[i % 2]
    return m


def listed(a):
    found = []
    for _ in range(3):
        found = [found[-1:], a.tolist()]
    return found[1]


LITTLE = [recurrence, accumulated, numbers, swapped, windows, small_arrays, rows_moved, listed]


def same(one, other):
    return np.array_equal(one, other)


def called(function, times=4):
    """The optimised function's unit after some calls, each of which gave eager's answer."""
    fast = dyntrace.optimize(function)
    for _ in range(times):
        mine, its = A.copy(), A.copy()
        assert same(fast(mine), function(its))
        assert same(mine, its)
    return fast, tag_of(fast).compiled


@pytest.mark.parametrize("function", LITTLE)
def test_elements_and_numbers_leave_the_code_as_it_was(function, estimated):
    fast, compiled = called(function)
    assert compiled.used() == []
    for _ in range(40):
        fast(A.copy())  # until arguments are not looked at any more
    assert fast.__code__ is function.__code__


@pytest.mark.parametrize("function", [sieve, state_update, complex_elements])
def test_loops_over_elements_have_no_region_beside_whole_arrays(function, estimated):
    fast, compiled = called(function)
    calls = sum(known.region.calls for known in compiled.used())
    for _ in range(10):
        fast(A.copy())
    assert sum(known.region.calls for known in compiled.used()) - calls <= 10


@pytest.mark.parametrize("function", LITTLE)
def test_without_measuring_everything_becomes_a_region(function):
    _, compiled = called(function)
    assert compiled.used()


@pytest.mark.parametrize("function", LITTLE)
def test_what_is_left_alone_is_said_to_be(function, estimated):
    fast = dyntrace.optimize(function)
    for _ in range(4):
        found = dyntrace.explain(fast)(A.copy())
    first = function.__code__.co_firstlineno
    last = max(line for *_, line in function.__code__.co_lines() if line)
    assert found.left_alone
    for item in found.left_alone:
        assert item.code == "DT706"
        assert first < item.lineno <= item.graph.end_lineno <= last
        assert item.graph.op_count >= 1 and item.graph.code
    assert "left alone: DT706 at" in str(found)
    assert "DT706" in found.to_html()
    assert found.retired == [] and dyntrace.stats(fast).retired == 0


def test_work_on_whole_arrays_stays_a_region_however_small(estimated):
    def program(a):
        return a * 2.0 + a[::-1]

    _, compiled = called(program)
    assert len(compiled.used()) == 1


def test_many_elements_at_once_stay_a_region(estimated):
    def program(a):
        m = M.copy()
        for i in range(1, 5):
            m[i, 1] = 0.25 * (m[i - 1, 1] + m[i, 0] + m[i, 2] + m[i + 1, 1])
        return m

    _, compiled = called(program)
    assert any(known.layout.effect_only for known in compiled.used())


def test_rows_worked_on_as_wholes_stay_regions(estimated):
    def program(a):
        m = M.copy()
        for i in range(1, 6):
            m[i] = m[i - 1] * 0.5
        return m

    _, compiled = called(program)
    assert compiled.used()


def test_numbers_put_into_parts_of_arrays_stay_regions(estimated):
    def program(a):
        for i in range(3):
            a[i : i + 4] = 1.5
        return a

    _, compiled = called(program)
    assert compiled.used()


def test_reset_forgets_what_was_left_alone(estimated):
    _, compiled = called(recurrence)
    assert compiled.knowledge.left_alone
    dyntrace.reset()
    assert compiled.knowledge.left_alone == []


def test_a_region_that_cannot_win_is_not_made_when_other_kinds_come(estimated):
    def program(a):
        a[0] = a[1] * 2
        return a

    fast = dyntrace.optimize(program)
    for array in (A.copy(), K.copy(), A.astype(np.float32), Z.copy()) * 3:
        assert same(fast(array.copy()), program(array.copy()))
    assert dyntrace.stats(fast).graphs == 0


def test_each_cost_says_what_it_costs_both_sides():
    for name, cost in COSTS.items():
        assert cost.region > 0, name
        assert cost.original > 0 or name in ("call", "argument"), name
