"""A unit's life: first call, recorders, versions, misses, reset, giving up."""

from __future__ import annotations

import gc
import types
import weakref

import numpy as np
import pytest

import dyntrace
from dyntrace.errors import GraphBreakError
from dyntrace.functions import misses, recording, versions
from dyntrace.functions import optimised as optimised_module
from dyntrace.report.collect import errors_of
from dyntrace.runtime import handles
from dyntrace.trace.marks import tag_of
from tests.differential import check, check_calls

A = np.arange(1.0, 6.0)
needs_native = pytest.mark.skipif(not handles.NATIVE, reason="replacement is C")


def optimised(function, **options):
    fast = dyntrace.optimize(function, **options)
    return fast, tag_of(fast).compiled


@dyntrace.disable
def unseen(a):
    return a - 1


# versions -----------------------------------------------------------------------------------------


def test_nothing_is_compiled_before_the_first_call():
    fast, compiled = optimised(lambda a: a * 2)
    assert (compiled.versions.count, compiled.versions.compiles) == (0, 0)
    assert fast.__code__ is compiled.code is not compiled.original
    fast(A)
    assert (compiled.versions.count, compiled.versions.compiles) == (1, 1)
    assert fast.__code__ is compiled.code


@needs_native
def test_the_first_call_is_moved_into_the_code_compiled_for_it():
    fast, compiled = optimised(lambda a: a * 2 + 1)
    fast(A)
    assert compiled.versions.replacements == 1
    assert [region.calls for _, region in compiled.plans()] == [1]


def test_what_a_break_returns_is_learnt_and_used_in_the_next_version():
    def program(a):
        b = unseen(a)
        return b * 2 + 1

    fast, compiled = optimised(program)
    fast(A)
    assert compiled.plans() == [] and compiled.versions.newest.recorders
    for _ in range(3):
        assert np.array_equal(fast(A), program(A))
    assert len(compiled.plans()) == 1
    assert not compiled.versions.newest.recorders
    compiles = compiled.versions.compiles
    for _ in range(5):
        fast(A)
    assert compiled.versions.compiles == compiles


@needs_native
def test_a_loop_in_a_function_called_once_is_compiled_while_it_runs():
    def program(a):
        total = a * 0
        for n in range(200):
            total = total + unseen(a) * n
        return total

    fast, compiled = optimised(program)
    assert np.array_equal(fast(A), program(A))
    assert compiled.versions.replacements >= 2
    assert sum(region.calls for _, region in compiled.plans()) > 100


def test_all_functions_of_one_code_share_compiled_code_and_move_together():
    def make(factor):
        return lambda a: a * factor + 1

    first = dyntrace.optimize(make(2.0))
    family = tag_of(first).family
    second = optimised_module.optimised(make(3.0), family)
    assert tag_of(first).compiled is tag_of(second).compiled
    for _ in range(3):
        assert np.array_equal(first(A), A * 2 + 1)
    assert second.__code__ is first.__code__
    assert np.array_equal(second(A), A * 3 + 1)


def test_versions_are_capped(monkeypatch):
    monkeypatch.setattr(versions, "MAX_VERSIONS", 2)
    text = "".join(
        f"        if turn // 4 == {n}:\n            a = a + unseen(a) * {n}\n" for n in range(6)
    )
    space = {"unseen": unseen}
    exec(f"def program(a):\n    for turn in range(24):\n{text}    return a", space)
    fast, compiled = optimised(space["program"])
    for _ in range(3):
        assert np.array_equal(fast(A), space["program"](A))
    assert compiled.versions.count <= 3
    assert not compiled.versions.newest.recorders
    assert [note[:5] for note in compiled.knowledge.notes] == ["DT603"]


def test_a_function_without_work_watches_its_first_calls_only(monkeypatch):
    monkeypatch.setattr(recording, "WATCHED_CALLS", 3)

    def program(a):
        return a

    fast, compiled = optimised(program)
    for _ in range(8):
        assert fast(1) == 1
    assert compiled.has_nothing_to_gain()
    assert fast.__code__.co_code.startswith(program.__code__.co_code)  # a landing pad follows


def test_arrays_that_come_after_plain_numbers_are_noticed():
    def program(a):
        return a * 2 + 1

    fast, compiled = optimised(program)
    for value in (1, 2.0, 3, A, A, A):
        assert np.array_equal(fast(value), program(value))
    assert len(compiled.plans()) == 1
    assert sum(region.calls for _, region in compiled.plans()) >= 2


# misses -------------------------------------------------------------------------------------------


def test_other_kinds_of_inputs_are_other_entries_of_the_same_region():
    def program(a, b):
        return a * b + 1

    fast, compiled = optimised(program)
    for one in (A, A.astype("f4"), A.reshape(5, 1), np.float64(2)):
        for other in (2, 3.0, A):
            assert np.array_equal(fast(one, other), program(one, other))
    ((_, region),) = compiled.plans()
    assert len(region.entries) >= 9
    assert compiled.versions.compiles == 1


def test_entries_are_capped_and_the_original_serves_the_rest(monkeypatch):
    monkeypatch.setattr(misses, "MAX_ENTRIES", 2)
    kinds = [A.astype(code) for code in "fdgFDGbhilBHIL"]

    def program(a):
        return a * 2 + a

    fast, compiled = optimised(program)
    for _ in range(2):
        for value in kinds:
            found = fast(value)
            assert found.dtype == program(value).dtype and np.array_equal(found, program(value))
    ((_, region),) = compiled.plans()
    assert len(region.entries) == 2 and region.on_miss is None


def test_kinds_that_lead_elsewhere_are_other_regions_at_the_same_place():
    def program(a):
        b = a * 2
        if b.ndim == 1:
            return np.sin(b)
        c = b.sum(axis=0)
        return c + 1, c

    check_calls(program, [(A,), (A.reshape(1, 5),)] * 4)
    fast, compiled = optimised(program)
    for value in (A, A.reshape(1, 5)) * 3:
        fast(value)
    assert len({plan.layout for plan, _ in compiled.plans()}) == 2


def test_a_region_that_deopts_again_and_again_is_retired():
    def program(a, b):
        return a @ b

    fast, compiled = optimised(program)
    for _ in range(20):
        with pytest.raises(ValueError, match="matmul"):
            fast(np.ones((2, 3)), np.ones((2, 3)))
    assert dyntrace.stats(fast).deopts < 20
    assert dyntrace.stats(fast).internal_errors == 0


# reports, reset, giving up ------------------------------------------------------------------------


@needs_native
def test_settling_compiles_what_was_recorded_once():
    def program(a):
        return unseen(a) * 2

    fast, compiled = optimised(program)
    fast(A)
    assert compiled.plans() == []
    compiled.compile_pending()
    assert len(compiled.plans()) == 1
    compiles = compiled.versions.compiles
    compiled.compile_pending()
    assert compiled.versions.compiles == compiles


def test_reset_starts_again_at_the_first_version():
    def program(a):
        return a * 2 + 1

    fast, compiled = optimised(program)
    for _ in range(3):
        fast(A)
    compiled.reset()
    assert (
        compiled.versions.count,
        compiled.plans(),
        compiled.knowledge.breaks,
        compiled.knowledge.notes,
    ) == (0, [], [], [])
    assert fast.__code__ is compiled.code
    for _ in range(3):
        assert np.array_equal(fast(A), program(A))
    assert len(compiled.plans()) == 1


def test_code_that_cannot_be_woven_runs_as_it_was():
    def program(a):
        return a * 2

    code = program.__code__
    odd = types.FunctionType(code.replace(co_code=code.co_code + bytes([0, 7])), globals())
    fast, compiled = optimised(odd)
    assert compiled.given_up and compiled.code is odd.__code__
    assert [note[:5] for note in compiled.knowledge.notes] == ["DT602"]
    assert np.array_equal(fast(A), A * 2)
    assert compiled.has_nothing_to_gain()


def test_fullgraph_raises_in_every_call():
    def program(a):
        print(a)
        return a * 2

    fast, compiled = optimised(program, fullgraph=True)
    for _ in range(3):
        with pytest.raises(GraphBreakError, match="DT101"):
            fast(A)
    assert errors_of(compiled) == []


def test_a_unit_dies_with_its_functions():
    def make():
        def program(a):
            return unseen(a) * 2

        return optimised(program)

    fast, compiled = make()
    for _ in range(4):
        fast(A)
    alive = weakref.ref(compiled)
    del fast, compiled
    gc.collect()
    assert alive() is None


def test_a_profile_keeps_kinds_and_no_values():
    class Thing:
        pass

    def program(make):
        thing = make()
        return thing, 1

    fast, compiled = optimised(program)
    for _ in range(3):
        alive = weakref.ref(fast(Thing)[0])
    gc.collect()
    assert alive() is None


def test_an_unbound_cell_is_nothing_to_stumble_over():
    def make():
        def program(a):
            if a is None:
                return late
            return a * 2

        return program
        late = 1

    program = make()
    check(program, A)
    fast, _ = optimised(program)
    with pytest.raises(NameError):
        fast(None)
    assert np.array_equal(fast(A), A * 2)
