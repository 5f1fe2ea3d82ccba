"""Calls: what the callee is decides the way, and a callee is guarded to be this one."""

from __future__ import annotations

import functools

import numpy as np

from dyntrace.breaks import CALL_BINDING, OPAQUE_CALL, UNKNOWN_CALLEE
from tests.differential import check
from tests.trace.tracing import operations, steps, trace

A = np.arange(1.0, 7.0)


class Callable:
    def __call__(self, a):
        return a + 1


def test_a_numpy_function_is_a_node_and_is_guarded_by_identity():
    def program(a):
        return np.cumsum(a, axis=0)

    found = trace(program, A)
    assert operations(found.region) == ["numpy.cumsum"]
    (node,) = found.region.graph.nodes
    assert dict(node.kwargs) == {"axis": 0}
    assert ("ModuleAttribute", "is") in steps(found.region)


def test_a_bound_method_of_an_array_is_a_node():
    def program(a):
        total = a.sum
        return total() + a.reshape(2, -1)

    check(program, A, captured=["ndarray.sum", "ndarray.reshape"], breaks=())


def test_arguments_unpacked_from_known_containers_are_passed_one_by_one():
    def program(a):
        args = (a, 2)
        named = {"axis": 0}
        return np.sum(np.multiply(*args), **named)

    check(program, A, captured=2, breaks=())


def test_keywords_from_outside_are_read_by_the_region():
    def program(a, named):
        b = a * 2
        return np.sum(b, **named)

    found = trace(program, A, {"axis": 0})
    assert operations(found.region) == ["operator.mul", "numpy.sum"]
    check(program, A, {"axis": 0})


def test_a_builtin_without_a_rule_is_opaque():
    def program(a):
        b = a * 2
        print(b)
        return b + 1

    found = trace(program, A)
    assert found.stop.reason is OPAQUE_CALL and found.stop.detail == "print"
    check(program, A, captured=2, breaks=["DT101"])


def test_an_instance_that_can_be_called_is_not_known_until_it_runs():
    def program(a, thing):
        return thing(a * 2) + 1

    found = trace(program, A, Callable())
    assert found.stop.reason is UNKNOWN_CALLEE
    check(program, A, Callable())


def test_a_partial_is_called_with_what_it_holds():
    def scaled(a, factor, *, shift=0.0):
        return a * factor + shift

    def program(a, bound):
        return bound(a) * 2

    def program_with_keywords(a, bound):
        return bound(a, shift=2.0) * 2

    bound = functools.partial(scaled, factor=3.0)
    check(program, A, bound)
    check(program_with_keywords, A, bound)


def test_python_builtins_on_known_things_leave_no_node():
    def program(a, rest):
        if isinstance(a, np.ndarray) and len(rest) == 2 and type(rest) is tuple:
            return a * 2
        return a

    found = trace(program, A, (1, 2))
    assert operations(found.region) == ["operator.mul"]


def test_the_length_of_an_array_is_computed():
    def program(a):
        return a * len(a)

    check(program, A, captured=3, breaks=())
    check(program, A.reshape(2, 3), breaks=())


def test_sum_of_known_items_is_additions_from_zero():
    def program(a):
        return sum([a, a * 2, 1.0])

    check(program, A, captured=4, breaks=())


def test_arguments_that_do_not_fit_break_and_cpython_raises():
    def one(a):
        return a

    def program(a, function):
        b = a * 2
        return function(b, b)

    found = trace(program, A, one)
    assert found.stop.reason is CALL_BINDING
    check(program, A, one)


def test_a_builtin_replaced_in_the_globals_is_seen():
    space = {"np": np}
    exec("def program(a):\n    return a * len(a)", space)
    program = space["program"]
    import dyntrace

    fast = dyntrace.optimize(program)
    for _ in range(3):
        assert np.array_equal(fast(A), A * 6)
    space["len"] = lambda a: 10
    assert np.array_equal(fast(A), A * 10)
    del space["len"]
    assert np.array_equal(fast(A), A * 6)
