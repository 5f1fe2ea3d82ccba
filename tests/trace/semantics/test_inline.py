"""Inlining: whole bodies or nothing, argument binding, and what is guarded of a callee."""

from __future__ import annotations

import numpy as np
import pytest

from dyntrace.breaks import (
    BRANCH_ON_DATA,
    CALL_BINDING,
    LOOP_INSIDE_INLINED,
    NOT_INLINED,
    RECURSION,
)
from dyntrace.trace.semantics.inline import NotInlined
from tests.differential import check
from tests.trace.tracing import operations, steps, trace

A = np.arange(1.0, 7.0)
FACTOR = 3.0


def scaled(a, factor=2.0, *rest, shift=1.0, **named):
    for item in rest:
        a = a + item
    return a * factor + shift + named.get("more", 0.0)


def branching(a):
    return a + 1 if a.sum() > 0 else a


def looping(a):
    while a.sum() > 100:
        a = a * 0.5
    return a


def writing(a):
    a[0] = 1.0
    return a


def generating(a):
    yield a


def recursive(a):
    return recursive(a * 2)


def simple(a):
    return a * FACTOR


def test_the_body_of_a_callee_becomes_part_of_the_region():
    def program(a):
        return simple(a + 1) - 1

    found = trace(program, A)
    assert operations(found.region) == ["operator.add", "operator.mul", "operator.sub"]
    assert ("FunctionPart", "is") in steps(found.region)
    lines = [node.origin.lineno for node in found.region.graph.nodes]
    assert lines[1] == simple.__code__.co_firstlineno + 1


@pytest.mark.parametrize(
    "call",
    [
        "f(a)",
        "f(a, 3.0)",
        "f(a, factor=3.0)",
        "f(a, 3.0, 1.0, 2.0)",
        "f(a, 3.0, *[1.0, 2.0], shift=4.0)",
        "f(a, shift=4.0, more=5.0)",
        "f(*(a, 2.0), **{'shift': 3.0})",
    ],
)
def test_arguments_are_bound_as_cpython_binds_them(call):
    space = {"f": scaled}
    exec(f"def program(a):\n    return {call} * 2", space)
    check(space["program"], A, breaks=(), captured=4)


@pytest.mark.parametrize("call", ["f()", "f(a, 1, a=2)", "f(a, b=1)", "f(a, 1, 2)"])
def test_a_call_that_does_not_fit_is_cpythons_error(call):
    def f(a, c=1):
        return a * c

    space = {"f": f}
    exec(f"def program(a):\n    b = a * 2\n    return {call}", space)
    assert trace(space["program"], A).stop.reason is CALL_BINDING
    check(space["program"], A)


@pytest.mark.parametrize(
    ("callee", "inside"),
    [(branching, BRANCH_ON_DATA), (looping, BRANCH_ON_DATA)],
    ids=["branch", "loop"],
)
def test_a_body_that_cannot_be_absorbed_takes_the_whole_call_back(callee, inside):
    def program(a, function):
        b = a * 2
        return function(b) + 1

    found = trace(program, A, callee)
    assert isinstance(found.stop, NotInlined) and found.stop.reason is NOT_INLINED
    assert inside.text in found.stop.detail and callee.__name__ in found.stop.detail
    assert operations(found.region) == ["operator.mul"]
    check(program, A, callee)


def test_a_long_loop_in_a_callee_says_that_it_is_one():
    def many(a):
        for _ in range(1000):
            a = a * 0.5
        return a

    def program(a, function):
        return function(a) + 1

    found = trace(program, A, many)
    assert LOOP_INSIDE_INLINED.text in found.stop.detail
    check(program, A, many)


def test_a_short_loop_over_known_items_is_unrolled():
    def few(a):
        for n in range(3):
            a = a * n
        for item in (1.0, 2.0):
            a = a + item
        for index, item in enumerate((a, a)):
            a = a + index
        return a

    def program(a):
        return few(a)

    space = {"few": few}
    exec("def program(a):\n    return few(a)", space)
    check(space["program"], A, captured=7, breaks=())


def test_a_write_inside_a_callee_is_no_effect_of_the_region():
    def program(a):
        b = a * 2
        return writing(a) + b

    found = trace(program, A)
    assert isinstance(found.stop, NotInlined)
    assert found.region.graph.effect is None
    check(program, A)


def test_generators_are_called_and_not_inlined():
    def program(a):
        b = a * 2
        total = 0
        for item in generating(b):
            total = total + item
        return total

    assert isinstance(trace(program, A).stop, NotInlined)
    check(program, A)


def test_recursion_ends_the_inlining():
    def program(a):
        return recursive(a)

    found = trace(program, A)
    assert isinstance(found.stop, NotInlined)
    assert found.stop.reason is RECURSION or RECURSION.text in found.stop.detail


def test_defaults_are_read_where_the_function_holds_them():
    def callee(a, factor=2.0):
        return a * factor

    space = {"callee": callee}
    exec("def program(a):\n    return callee(a) + 1", space)
    import dyntrace

    fast = dyntrace.optimize(space["program"])
    for _ in range(3):
        assert np.array_equal(fast(A), A * 2 + 1)
    callee.__defaults__ = (5.0,)
    assert np.array_equal(fast(A), A * 5 + 1)
    callee.__code__ = (lambda a, factor: a - factor).__code__
    assert np.array_equal(fast(A), A - 5 + 1)


def test_a_closure_variable_is_read_from_its_cell():
    def make(factor):
        def callee(a):
            return a * factor

        def change(value):
            nonlocal factor
            factor = value

        return callee, change

    callee, change = make(2.0)
    space = {"callee": callee}
    exec("def program(a):\n    return callee(a) + 1", space)
    assert ("Contents", "exact") in steps(trace(space["program"], A).region)
    import dyntrace

    fast = dyntrace.optimize(space["program"])
    for value in (2.0, 3.0, 4, np.float64(5)):
        change(value)
        for _ in range(2):
            assert np.array_equal(fast(A), A * value + 1)


def test_what_a_callee_returns_as_it_came_stays_the_same_object():
    def same(a):
        return a

    def program(a):
        b = a * 2
        return same(a), same(b)

    check(program, A)
