"""Stubs by themselves: what they pass, drop, store and push, with any callable as the region."""

from __future__ import annotations

import types

import pytest

from dyntrace.asm.assemble import assemble
from dyntrace.asm.versions import TABLE
from dyntrace.trace.code_facts import CodeFacts
from dyntrace.trace.regions.flush import Layout
from dyntrace.trace.sources import CellVariable, Local, StackItem
from dyntrace.weaving.stubs import entry_stub, recorder_stub, region_stub

NO_PUSHES = {"dropped": (), "pushes": (), "cleared": (), "depth": 0, "commit": False, "bare": False}


def body_of(function):
    return CodeFacts.of(function.__code__)


def unit_of(facts, name, place=0):
    """The unit whose last micro-op is called `name`."""
    found = [u.index for u in facts.body.units if u.micro and u.micro[-1].name == name]
    return found[place]


def woven(function, stubs):
    """`function` with stubs before units; room is left as in every version of a unit."""
    code = assemble(body_of(function).body, stubs).code
    code = code.replace(co_stacksize=code.co_stacksize + 20)
    return types.FunctionType(code, function.__globals__, "f", None, function.__closure__)


def with_region(function, handle, **layout):
    return woven(
        function, {layout["start"]: region_stub(Layout(**{**NO_PUSHES, **layout}), handle)}
    )


class Region:
    """Stands for a region: keeps what it is called with and answers the same each time."""

    def __init__(self, answer):
        self.answer = answer
        self.seen = []

    def __call__(self, *values):
        self.seen.append(values)
        return self.answer


def add_and_return(a, b):
    c = a + b
    del a
    return c


@pytest.mark.parametrize("bare", [True, False])
def test_a_result_is_stored_and_the_original_skipped(bare):
    facts = body_of(add_and_return)
    region = Region(42 if bare else (42,))
    fast = with_region(
        add_and_return,
        region,
        start=facts.first,
        end=unit_of(facts, "DELETE_FAST"),
        arguments=(Local(1), Local(0)),
        stores=((2, False),),
        bare=bare,
    )
    assert fast(1, 2) == 42
    assert region.seen == [(2, 1)]


def test_none_runs_the_original_with_nothing_changed():
    facts = body_of(add_and_return)
    region = Region(None)
    fast = with_region(
        add_and_return,
        region,
        start=facts.first,
        end=unit_of(facts, "DELETE_FAST"),
        arguments=(Local(0),),
        stores=((2, False),),
    )
    assert fast(1, 2) == 3
    assert region.seen == [(1,)]


def product_in_a_tuple(a, b):
    return (a, b, a * b)


def test_stack_items_are_copied_dropped_and_replaced():
    facts = body_of(product_in_a_tuple)
    region = Region(("product",))
    fast = with_region(
        product_in_a_tuple,
        region,
        start=unit_of(facts, "BINARY"),
        end=unit_of(facts, "BINARY") + 1,
        arguments=(StackItem(3), StackItem(0)),
        stores=(),
        depth=4,
        dropped=(False, False),
        pushes=(False,),
    )
    assert fast(5, 6) == (5, 6, "product")
    assert region.seen == [(6, 5)]
    region.answer = None
    assert fast(5, 6) == (5, 6, 30)


def test_pushes_arrive_in_their_order_whatever_their_number():
    def program(a):
        return (a, a, a, a)

    facts = body_of(program)
    fast = with_region(
        program,
        Region((4, 3, 2, 1)),
        start=facts.first,
        end=unit_of(facts, "BUILD_TUPLE"),
        arguments=(Local(0),),
        stores=(),
        pushes=(False,) * 4,
    )
    assert fast("x") == (1, 2, 3, 4)


def call_of_a_global(a, b):
    return divmod(a, b)


PAIR = (True, False) if TABLE.null_first else (False, True)


def test_a_null_and_its_callable_are_pushed_in_this_versions_order():
    facts = body_of(call_of_a_global)
    # Values up to the last NULL come in order, those behind it reversed.
    region = Region((3, 2, pow) if TABLE.null_first else (pow, 3, 2))
    fast = with_region(
        call_of_a_global,
        region,
        start=facts.first,
        end=unit_of(facts, "CALL"),
        arguments=(Local(0),),
        stores=(),
        pushes=(*PAIR, False, False),
    )
    assert fast(7, 2) == 8
    region.answer = None
    assert fast(7, 2) == divmod(7, 2)


def test_a_null_leaves_the_stack_together_with_its_callable():
    facts = body_of(call_of_a_global)
    region = Region(("result",))
    fast = with_region(
        call_of_a_global,
        region,
        start=unit_of(facts, "CALL"),
        end=unit_of(facts, "CALL") + 1,
        arguments=(StackItem(2), StackItem(3)),
        stores=(),
        depth=4,
        dropped=(False, False, *reversed(PAIR)),
        pushes=(False,),
    )
    for _ in range(100):
        assert fast(7, 2) == "result"
    assert region.seen[0] == (7, 2)
    region.answer = None
    assert fast(7, 2) == divmod(7, 2)


def test_a_commit_is_called_once_and_its_answer_ignored():
    def program(a):
        b = a
        return (a, b)

    facts = body_of(program)
    order = []

    def commit():
        order.append("committed")
        return "ignored"

    region = Region(("stored", "second", "first", commit))
    fast = with_region(
        program,
        region,
        start=facts.first,
        end=unit_of(facts, "BUILD_TUPLE"),
        arguments=(Local(0),),
        stores=((1, False),),
        pushes=(False, False),
        commit=True,
    )
    assert fast("x") == ("first", "second")
    assert order == ["committed"]
    region.answer = None
    assert fast("x") == ("x", "x")
    assert order == ["committed"]


def test_cells_are_passed_as_cells_and_stored_through():
    def program(a):
        b = a

        def inner():
            return b

        return inner

    facts = body_of(program)
    names = facts.body.local_names
    cell = names.index("b")
    region = Region(("new",))
    fast = with_region(
        program,
        region,
        start=facts.first,
        end=unit_of(facts, "STORE_DEREF") + 1,
        arguments=(CellVariable(cell), Local(0)),
        stores=((cell, True),),
    )
    assert fast("x")() == "new"
    ((seen, _),) = region.seen
    assert isinstance(seen, types.CellType)


def test_a_dead_local_is_let_go():
    def program(a):
        b = a + 1
        del b
        return a

    facts = body_of(program)
    fast = with_region(
        program,
        Region((2,)),
        start=facts.first,
        end=unit_of(facts, "DELETE_FAST"),
        arguments=(),
        stores=((1, False),),
        cleared=(0,),
    )
    assert fast("x") is None


# recorders ----------------------------------------------------------------------------------------


def test_a_recorder_is_shown_the_topmost_values_and_takes_nothing():
    facts = body_of(product_in_a_tuple)
    seen = []
    stub = recorder_stub(lambda: True, lambda *values: seen.append(values), (3, 2, 1))
    fast = woven(product_in_a_tuple, {unit_of(facts, "BINARY"): stub})
    assert fast(5, 6) == (5, 6, 30)
    assert seen == [(6, 5, 6)]


def test_a_closed_gate_keeps_a_recorder_silent():
    facts = body_of(product_in_a_tuple)
    seen = []
    stub = recorder_stub(lambda: None, lambda *values: seen.append(values), (1,))
    fast = woven(product_in_a_tuple, {unit_of(facts, "BINARY"): stub})
    assert fast(5, 6) == (5, 6, 30)
    assert seen == []


def test_the_entry_stub_shows_arguments_and_cells():
    factor = 3

    def program(a, *rest, key=1, **named):
        return a * factor

    facts = body_of(program)
    seen = []
    stub = entry_stub(lambda: True, lambda *values: seen.append(values), facts.entry_slots)
    fast = woven(program, {facts.first: stub})
    fast.__kwdefaults__ = {"key": 1}
    assert fast(2, 5, other=6) == 6
    ((a, key, rest, named, cell),) = seen
    assert (a, key, rest, named) == (2, 1, (5,), {"other": 6})
    assert cell.cell_contents == 3
