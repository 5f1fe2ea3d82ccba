"""Obstacles: bodies that tracing could never inline are not traced for it."""

from __future__ import annotations

import numpy as np
import pytest

from dyntrace.asm.decode import decode
from dyntrace.breaks import ATTRIBUTE_STORE, CONTEXT_MANAGER, RAISE, STATE_DEPENDENT
from dyntrace.trace.frame import Flush, Frame
from dyntrace.trace.regions.builder import RegionBuilder
from dyntrace.trace.semantics import inline as module
from dyntrace.trace.semantics.obstacles import OBSTACLES, obstacle_in
from dyntrace.trace.stepping import HANDLERS
from dyntrace.trace.values.base import Constant
from dyntrace.trace.values.containers import DictValue, ListValue
from tests.differential import check
from tests.trace.tracing import analyse, plans, trace

A = np.arange(1.0, 7.0)


class Holder:
    pass


def storing(holder, a):
    holder.value = np.sin(a)
    return holder.value


def storing_at_times(holder, a, store):
    if store:
        holder.value = a
    return a * 2


def storing_on_both_ways(holder, a, flag):
    if flag:
        holder.value = a
        return a
    holder.other = a
    return a * 2


def storing_in_a_loop(holder, a, items):
    for item in items:
        holder.value = item
    return a * 2


def raising(a):
    raise ValueError(a)


def checked(a, flag):
    if flag:
        raise ValueError(flag)
    with flag:
        return a


def obstacle(function):
    found = obstacle_in(decode(function.__code__))
    return None if found is None else (found[0] - function.__code__.co_firstlineno, found[1])


@pytest.mark.parametrize("name", OBSTACLES)
def test_an_obstacle_is_refused_by_its_handler_in_every_inlined_frame(name):
    body = decode(storing.__code__)
    frame = Frame(RegionBuilder(body.code), body, {}, depth=1)
    frame.stack = [ListValue([]), DictValue({}), *(Constant(None) for _ in range(4))]
    arg = (0, False) if name == "FORMAT" else 1
    with pytest.raises(Flush):
        HANDLERS[name](frame, arg)


def test_a_body_with_an_obstacle_on_every_way_is_known():
    assert obstacle(storing) == (1, ATTRIBUTE_STORE)
    assert obstacle(storing_on_both_ways) == (2, ATTRIBUTE_STORE)
    assert obstacle(raising) == (1, RAISE)


def test_an_obstacle_beside_a_raise_is_what_is_told():
    assert obstacle(checked) == (3, CONTEXT_MANAGER)


def test_a_body_with_a_way_around_is_left_to_tracing():
    assert obstacle(storing_at_times) is None
    assert obstacle(storing_in_a_loop) is None


def test_functions_made_inside_are_an_obstacle():
    def program(a):
        def inner():
            return a

        return inner

    assert obstacle(program) is not None and obstacle(program)[1] is not STATE_DEPENDENT


def test_a_body_with_an_obstacle_is_not_traced_and_the_call_is_told_as_before(monkeypatch):
    def program(a):
        return storing(HOLDER, a + 1) * 2

    monkeypatch.setattr(module, "run_inlined", None)
    found = trace(program, A)
    assert "test_obstacles.py" in found.stop.detail
    assert ATTRIBUTE_STORE.text in found.stop.detail
    monkeypatch.undo()
    check(program, A, captured=2, breaks=("DT103",))


HOLDER = Holder()


def test_a_way_around_the_obstacle_is_inlined():
    def program(a):
        return storing_at_times(HOLDER, a + 1, False) - 1

    (plan,) = plans(analyse(program, A))
    assert len(plan.region.graph.nodes) == 3
    check(program, A, captured=1, breaks=())
