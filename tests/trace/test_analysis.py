"""The analysis: where regions start, what is learnt by recording, what handlers and copies get."""

from __future__ import annotations

import io

import numpy as np

import dyntrace
from dyntrace.breaks import EXCEPTION_HANDLING, OPAQUE_CALL
from dyntrace.graph.describe import describe
from dyntrace.trace import analysis as module
from dyntrace.trace.marks import tag_of
from tests.differential import check
from tests.trace.tracing import NoCopies, analyse, operations, plans

A = np.arange(1.0, 7.0)


def lines(analysis, function):
    """First and last line of each plan, counted from the function's `def`."""
    first = function.__code__.co_firstlineno
    return [(plan.lineno - first, plan.end_lineno - first) for plan in plans(analysis)]


def branching(a):
    return a + 1 if np.sum(a) > 0 else a - 1


def first_recorder(analysis):
    return analysis.recorders[min(analysis.recorders)]


# where regions start ------------------------------------------------------------------------------


def test_what_comes_before_the_first_work_is_left_to_cpython():
    def program(a):
        n = 3
        text = "x" * n
        pair = (n, text)
        b = a * 2
        return b, pair

    found = analyse(program, A)
    (plan,) = plans(found)
    assert lines(found, program)[0][0] >= 3
    assert operations(plan.region) == ["operator.mul"]
    check(program, A, captured=1)


def test_a_region_that_would_only_move_values_is_not_made():
    def program(a, b):
        c = (a, b)
        d = [c, 1]
        return d, len(d), a.ndim + b.ndim

    assert plans(analyse(program, A, A)) == []


def test_plain_arithmetic_is_no_array_work():
    def program(n):
        m = n * 2 + 1
        return m / 3

    assert plans(analyse(program, 3)) == []
    assert plans(analyse(program, A)) != []


def test_work_on_both_sides_of_a_break_is_two_regions():
    def program(a):
        b = a * 2
        print("between")
        return a + 1, b

    found = analyse(program, A)
    assert lines(found, program) == [(1, 2), (3, 3)]
    assert [item.reason for item in found.breaks.all()] == [OPAQUE_CALL]


def test_both_sides_of_a_branch_on_data_are_explored():
    def program(a):
        b = a * 2
        if np.sum(b) > 0:
            b = np.sin(b)
        else:
            b = np.cos(b)
        return b + 1

    names = [name for plan in plans(analyse(program, A)) for name in operations(plan.region)]
    assert {"numpy.sin", "numpy.cos"} <= set(names)


# loops --------------------------------------------------------------------------------------------


def test_a_loop_body_is_a_region_of_its_own_from_its_head():
    def program(a):
        b = a * 2
        for _ in range(10):
            b = np.sin(b) + 1
        return b - 1

    found = analyse(program, A)
    assert [last for _, last in lines(found, program)] == [2, 3, 4]
    assert [first for first, _ in lines(found, program)] == [1, 3, 4]
    check(program, A, captured=4, breaks=())


def test_kinds_that_change_around_a_loop_are_met_again_at_its_head():
    def program(a, n):
        total = 0
        for _ in range(n):
            total = total + a
        return total

    found = analyse(program, A, 3)
    inside = [plan for plan in plans(found) if plan.layout.depth]
    expected = {dict(plan.state.slots).get(2) for plan in inside}
    assert len(expected) == 2
    check(program, A, 3, captured=1, breaks=())


def test_states_at_one_place_are_limited(monkeypatch):
    def program(a):
        x = 0
        for _ in range(10):
            x = (x, a)
        return a * 2

    found = analyse(program, A)
    assert all(len(states) <= module.MAX_STATES for states in found.explored.values())
    monkeypatch.setattr(module, "MAX_TRACES", 1)
    assert analyse(program, A).traces <= 2


# handlers -----------------------------------------------------------------------------------------


def test_handlers_of_the_path_are_entries_too():
    def program(a, b):
        c = a * 2
        try:
            c = c + b
        except ValueError:
            c = np.cos(a)
        return np.sin(c)

    found = analyse(program, A, A)
    names = {name for plan in plans(found) for name in operations(plan.region)}
    assert {"numpy.cos", "numpy.sin"} <= names
    assert all(item.reason is not EXCEPTION_HANDLING for item in found.breaks.all())
    check(program, A, A)
    check(program, A, np.ones(5))


def test_entering_and_leaving_a_with_block_is_one_break():
    def program(a):
        with io.StringIO():
            b = a * 2
        return b + 1

    fast = dyntrace.optimize(program)
    for _ in range(3):
        found = dyntrace.explain(fast)(A)
    assert [item.code for item in found.breaks].count("DT302") == 1


# recorders ----------------------------------------------------------------------------------------


def test_an_unknown_result_is_recorded_behind_its_instruction():
    def program(a):
        return max(a.tolist(), key=None) * a

    recorder = first_recorder(analyse(program, A))
    assert recorder.values == (1,) and recorder.at == recorder.point + 1


def test_what_was_recorded_is_used_and_not_asked_for_again():
    def program(a, opaque):
        b = opaque(a)
        return b * 2

    first = analyse(program, A, max)
    point = first_recorder(first).point
    assert plans(first) == []
    again = analyse(program, A, max, profile={point: [(describe(A),)]})
    assert point not in again.recorders
    assert [operations(plan.region) for plan in plans(again)] == [["operator.mul"]]


def test_results_of_several_kinds_are_followed_one_by_one():
    def program(a, opaque):
        b = opaque(a)
        return b * a

    point = first_recorder(analyse(program, A, max)).point
    seen = [(describe(A),), (describe(2.0),), (describe(None),)]
    found = analyse(program, A, max, profile={point: seen})
    assert len(plans(found)) == 2


def test_a_result_that_is_thrown_away_is_not_recorded():
    def program(a):
        print(a)
        return a * 2

    assert analyse(program, A).recorders == {}


def test_the_item_of_a_range_is_foreseen():
    def program(a):
        for n in range(3):
            a = a * n
        return a

    assert analyse(program, A).recorders == {}


# breaks -------------------------------------------------------------------------------------------


def test_one_place_met_in_several_states_is_one_break():
    def program(a, n):
        total = 0
        for _ in range(n):
            total = total + a
            print(total)
        return total

    found = analyse(program, A, 3)
    assert len(found.breaks.all()) == 1


def test_equal_calls_on_one_line_are_told_apart_by_their_columns():
    def program(a):
        return print(a * 2), print(a + 1)

    assert len(analyse(program, A).breaks.all()) == 2


# copies --------------------------------------------------------------------------------------------


def optimised_copy(a):
    return a


class Copies(NoCopies):
    def __init__(self):
        self.asked = []

    def copy_of(self, function):
        self.asked.append(function)
        return optimised_copy


def test_a_callee_that_cannot_be_inlined_is_replaced_by_its_optimised_copy():
    def program(a):
        b = a * 2
        return branching(b)

    copies = Copies()
    found = analyse(program, A, copies=copies)
    assert branching in copies.asked
    (plan,) = plans(found)
    assert plan.region.copy_of() is branching.__code__
    assert optimised_copy in plan.region.graph.outputs
    parts = {step.source.part for step in plan.region.steps if hasattr(step.source, "part")}
    assert parts == {"code", "defaults", "kwdefaults"}


def test_a_call_whose_callee_gains_nothing_is_left_alone():
    def program(a):
        return branching(a)

    assert plans(analyse(program, A)) == []


def test_callees_behind_breaks_are_optimised_with_their_caller():
    def program(a):
        return branching(a * 2) + 1

    check(program, A)
    fast = dyntrace.optimize(program)
    for _ in range(4):
        fast(A)
    names = {compiled.name for compiled in tag_of(fast).family.all_compiled()}
    assert "branching" in names
    assert dyntrace.stats(fast).graph_calls > 4


def test_a_path_that_never_ran_makes_no_breaks_of_what_others_absorbed():
    def program(a):
        with np.errstate(all="ignore"):
            b = a * 2
        return b + 1

    fast = dyntrace.optimize(program)
    for _ in range(3):
        found = dyntrace.explain(fast)(A)
    assert [item.code for item in found.breaks] == ["DT213", "DT302"]
