"""Layouts: what a region takes from the frame and leaves in it, seen in whole programs."""

from __future__ import annotations

import numpy as np

import dyntrace
from dyntrace.asm.versions import TABLE
from dyntrace.runtime import faults
from dyntrace.trace.marks import tag_of
from dyntrace.trace.sources import CellVariable, Local, StackItem
from tests.differential import check

A = np.arange(1.0, 7.0)
NULL_AND_CALLABLE = (True, False) if TABLE.null_first else (False, True)


def opaque(a):
    """Cannot be inlined: it branches on data."""
    return a + 1 if np.sum(a) > 1e9 else a - 1


@dyntrace.disable
def unseen(a):
    return a - 1


def layouts(function, *args):
    """The layouts of a function's regions after a few calls, in the order of the bytecode."""
    check(function, *args)
    fast = dyntrace.optimize(function)
    for _ in range(4):
        fast(*args)
    return [plan.layout for plan, _ in tag_of(fast).compiled.plans()]


def test_a_result_that_is_returned_is_pushed_bare():
    def program(a):
        return a * 2

    (layout,) = layouts(program, A)
    assert layout.arguments == (Local(0),)
    assert (layout.pushes, layout.bare, layout.commit) == ((False,), True, False)
    assert layout.stores == layout.dropped == ()


def test_live_locals_are_stored_and_dead_ones_are_not():
    def program(a):
        b = a * 2
        c = b + 1
        d = c * 3
        unseen(a)
        return d

    first = layouts(program, A)[0]
    assert [index for index, _ in first.stores] == [3]


def test_a_function_that_looks_at_its_locals_keeps_them_all():
    def program(a):
        b = a * 2
        c = b + 1
        return sorted(locals())

    stored = {index for layout in layouts(program, A) for index, _ in layout.stores}
    assert stored == {1, 2}


def test_an_overwritten_argument_that_is_dead_is_let_go():
    def program(a, b):
        a = a * 2
        c = a + b
        unseen(c)
        return c

    first = layouts(program, A, A)[0]
    assert first.cleared == (0,)


def test_values_wait_on_the_stack_across_a_break():
    def program(a):
        return (a * 2) + unseen(a)

    before, after = layouts(program, A)
    assert False in before.pushes
    assert after.depth >= 2 and StackItem(0) in after.arguments
    assert after.dropped == (False, False)
    assert after.pushes == (False,)


def test_the_null_of_a_call_is_pushed_and_dropped_with_its_callable():
    def program(a):
        return np.add(a * 2, unseen(a))

    before, after = layouts(program, A)
    assert before.pushes[1:] in (NULL_AND_CALLABLE, (*NULL_AND_CALLABLE, False))
    assert after.dropped[-2:] == tuple(reversed(NULL_AND_CALLABLE))
    assert len(after.dropped) == 4


def test_calls_within_calls_leave_several_pairs():
    def program(a):
        return np.add(a, np.multiply(a + 1, np.maximum(a * 2, unseen(a))))

    before, after = layouts(program, A)
    assert before.pushes.count(True) == 2  # the first pair was there before the first work
    assert after.dropped.count(True) == 3
    assert after.pushes == (False,)


def test_a_method_waits_on_the_stack_with_its_object():
    def program(a):
        return (a * 2).reshape(unseen(np.array([2, 3])))

    check(program, A)


def test_a_pair_that_a_native_instruction_left_is_never_touched():
    class Thing:
        def __getattr__(self, name):
            return lambda a, b: a + b

    def program(a, thing):
        return thing.method(a * 2, unseen(a)) + (a + 1)

    for layout in layouts(program, A, Thing()):
        assert all(position >= 0 for position in layout.dropped)
        assert True not in layout.dropped


def test_an_iterator_below_is_left_where_it_is():
    def program(a):
        total = a * 0
        for n in range(4):
            total = total + a * n
            unseen(total)
            total = total - 1
        return total

    inside = [layout for layout in layouts(program, A) if layout.depth]
    assert inside
    for layout in inside:
        assert len(layout.dropped) < layout.depth


def test_cells_are_passed_whole_and_stored_through():
    def program(a):
        b = a * 2

        def inner():
            return b

        b = b + 1
        return inner() * 2

    found = layouts(program, A)
    assert any(is_cell for layout in found for _, is_cell in layout.stores)
    assert any(isinstance(s, CellVariable) for layout in found for s in layout.arguments)


def test_an_effect_is_committed_below_what_was_pushed():
    def program(a):
        return (a + 1) @ np.multiply(a, 2, out=a)

    found = layouts(program, A)
    assert [layout.commit for layout in found].count(True) == 1


def test_an_effect_with_a_null_on_the_stack_stays_cpythons():
    def program(a):
        return np.add(a + 1, np.multiply(a, 2, out=a))

    for layout in layouts(program, A):
        assert not (layout.commit and any(layout.pushes))


def test_an_inplace_statement_stores_nothing_and_commits():
    def program(a):
        a += 1
        a[1:] *= 2
        return a

    found = layouts(program, A)
    assert [layout.commit for layout in found] == [True, True]
    assert all(layout.stores == () for layout in found)


def test_containers_leave_as_one_object_however_often_they_are_named():
    def program(a):
        row = [a * 2]
        other = row
        unseen(a)
        other.append(a)
        return len(row), row is other

    check(program, A)


def test_a_list_whose_method_waits_is_the_list_that_stays():
    def program(a):
        row = [a * 2]
        row.append(unseen(a))
        return row

    check(program, A)


def test_the_state_a_region_leaves_is_right_at_every_forced_deopt(monkeypatch):
    def program(a):
        b = np.add(a * 2, unseen(a))
        c = [b, np.multiply(b + 1, opaque(b))]
        return sum(c), c

    monkeypatch.setattr(faults, "force_deopt", lambda region: True)
    check(program, A, calls=6)
