"""Calls of helpers without regions: once the callee is judged, nothing stands before the call."""

import dis

import numpy as np
import pytest

from dyntrace import config, optimize
from dyntrace.functions.copy_maker import CopyMaker
from dyntrace.functions.judging import JUDGED_CALLS, WATCHED_CALLS
from dyntrace.trace.marks import tag_of

CALLS = WATCHED_CALLS + 8
A = np.arange(8.0)


def branching(v):
    if v > 3:
        return v - 1
    return v + 1


def rarely_more(v):
    if v < 0:
        w = v - 1
        return len(str(w))
    return v * 2


def checked(v):
    if v < 0:
        raise ValueError(f"{v} is negative")
    return v + 1


def looping(v):
    total = 0
    for i in range(3):
        total += i * v
    return total


def fibonacci(n):
    return n if n < 2 else fibonacci(n - 1) + fibonacci(n - 2)


def is_even(n):
    return n == 0 or is_odd(n - 1)


def is_odd(n):
    return n != 0 and is_even(n - 1)


def nested(v):
    if v % 2:
        return rarely_more(v)
    return checked(v)


class Point:
    def __init__(self, x, y):
        if x < 0:
            raise ValueError(x)
        self.x = x
        self.y = y

    def larger(self):
        if self.x > self.y:
            return self.x
        return self.y

    @classmethod
    def make(cls, v):
        if v < 0:
            raise ValueError(v)
        return cls(v, 2)

    @staticmethod
    def clipped(v, low=1, *, high=5):
        if v < low:
            return low
        return min(v, high)


def calls_a_function(n):
    return sum([branching(i) for i in range(n)])


def calls_what_rarely_does_more(n):
    total = 0
    for i in range(n):
        total += rarely_more(i)
    return total


def calls_what_rarely_raises(n):
    total = 0
    for i in range(n):
        checked(i)
        total += checked(i)
    return total


def calls_a_loop(n):
    total = 0
    for i in range(n):
        total += looping(i)
    return total


def calls_a_method(n, point=Point(1, 2)):  # noqa: B008
    total = 0
    for _ in range(n):
        total += point.larger()
    return total


def calls_class_and_static_methods(n):
    total = 0
    for i in range(n):
        total += Point.make(i).x + Point.clipped(i) + Point(i, 2).larger()
    return total


def calls_a_closure_made_in_each_iteration(n):
    total = 0
    for i in range(n):

        def closure(v):
            if v > i:
                return v
            return v + i

        total += closure(3)
    return total


def calls_a_lambda_made_in_each_iteration(n):
    total = 0
    for i in range(n):
        total += (lambda v: v if v > 3 else -v)(i)
    return total


def passes_lambdas(n):
    total = 0
    for i in range(n):
        total += sorted([3, i, 2], key=lambda v: -v)[0]
        total += sum(map(lambda v: v + i, [1, 2]))  # noqa: B023
    return total


def runs_generator_expressions(n):
    total = 0
    for i in range(n):
        total += sum(v * 2 for v in [3, 1, i]) + any(v > 3 for v in (1, i))
    return total


def runs_comprehensions(n):
    total = 0
    for i in range(n):
        total += len({k: k + i for k in (1, 2)}) + len({k for k in (1, 2)})
        total += len([k + i for k in (1, 2)])
    return total


def calls_through_layers(n):
    total = 0
    for i in range(n):
        total += nested(i)
    return total


def calls_any_of_several(n):
    total = 0
    for i in range(n):
        for function in (branching, rarely_more, checked):
            total += function(i)
    return total


def recurses(n):
    return fibonacci(n)


def recurses_through_two(n):
    return is_even(n)


def recurses_in_a_closure(n):
    def depth(v):
        return 0 if v <= 0 else 1 + depth(v - 1)

    return depth(n)


PROGRAMS = [
    calls_a_function,
    calls_what_rarely_does_more,
    calls_what_rarely_raises,
    calls_a_loop,
    calls_a_method,
    calls_class_and_static_methods,
    calls_a_closure_made_in_each_iteration,
    calls_a_lambda_made_in_each_iteration,
    passes_lambdas,
    runs_generator_expressions,
    runs_comprehensions,
    calls_through_layers,
    calls_any_of_several,
    recurses,
    recurses_through_two,
    recurses_in_a_closure,
]


def instructions(function):
    """The instructions but for no-ops and the distances of jumps."""
    return [
        (found.opname, None if "JUMP" in found.opname or "FOR" in found.opname else found.arg)
        for found in dis.get_instructions(function)
        if found.opname != "NOP"
    ]


@pytest.mark.parametrize("program", PROGRAMS, ids=lambda program: program.__name__)
def test_calls_of_what_has_no_region_are_the_original_instructions(program, without_loops):
    expected = program(12)
    fast = optimize(program)
    for _ in range(max(CALLS, JUDGED_CALLS // 8)):
        assert fast(12) == expected
    original = instructions(program)
    assert instructions(fast)[: len(original)] == original  # landing pads follow
    assert not tag_of(fast).compiled.used()


@pytest.mark.skipif(not config.native, reason="running code is changed by the extension only")
def test_a_loop_that_runs_stops_making_twins_of_its_generator_expressions(monkeypatch):
    made = []
    make = CopyMaker.__call__

    def counted(maker, function):
        made.append(None)
        return make(maker, function)

    monkeypatch.setattr(CopyMaker, "__call__", counted)

    def program(n):
        total = 0
        for i in range(n):
            total += sum(v * 2 for v in [3, 1, i])
        return total

    fast = optimize(program)
    assert fast(2000) == program(2000)
    assert len(made) <= JUDGED_CALLS + 2


def test_a_callee_that_gains_keeps_its_twin_whatever_others_do():
    def gains(a, n):
        total = a
        for i in range(n):
            total = total + a * i
            if total[0] < 0:
                return a
        return total

    def program(a, n):
        total = 0.0
        for i in range(n):
            total = total + branching(i) + gains(a, 3)
        return total

    fast = optimize(program)
    for _ in range(JUDGED_CALLS):
        assert np.array_equal(fast(A, 5), program(A, 5))
    callees = {compiled.name: compiled for compiled in tag_of(fast).family.all_compiled()}
    assert callees["branching"].has_nothing_to_gain()
    (name,) = [name for name in callees if name.endswith("gains")]
    assert not callees[name].has_nothing_to_gain()
    assert sum(plan_region.calls for _, plan_region in callees[name].plans()) > JUDGED_CALLS


def test_mutual_recursion_with_array_work_is_not_left_alone():
    def down(a, n):
        if n == 0:
            return a
        return up(a * 2 + 1, n - 1)

    def up(a, n):
        if n == 0:
            return a
        return down(a, n - 1)

    fast = optimize(up)
    for _ in range(JUDGED_CALLS):
        assert np.array_equal(fast(A, 6), up(A, 6))
    assert not tag_of(fast).compiled.has_nothing_to_gain()
    assert any(
        known.region.calls > JUDGED_CALLS
        for compiled in tag_of(fast).family.all_compiled()
        for known in compiled.used()
    )
