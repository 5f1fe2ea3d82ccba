"""Versions: what is woven where, and that running frames fit every version of their code."""

from __future__ import annotations

import types

import numpy as np
import pytest

import dyntrace
from dyntrace.errors import AssemblyError
from dyntrace.exec.backends.generated import compile_graph
from dyntrace.graph.describe import describe
from dyntrace.runtime.handles import Handle
from dyntrace.trace.code_facts import CodeFacts
from dyntrace.trace.marks import tag_of
from dyntrace.weaving import weave as weave_module
from dyntrace.weaving.regions import Regions
from dyntrace.weaving.weave import ROOM, Recorders, first_version, stack_size, weave
from tests.trace.tracing import analyse, plans

A = np.arange(1.0, 6.0)


def program(a, flag=False):
    b = a * 2
    if flag:
        b = max(b.tolist())
    for _ in range(3):
        b = b + 1
    return b


class Owner:
    def on_miss(self, region, args):
        return False

    def on_retire(self, region):
        pass

    def on_rest(self, region):
        pass


@pytest.fixture
def regions():
    owner = Owner()
    found = Regions(compile_graph, owner)
    found.owner = owner
    return found


def woven(function, regions, *args, watch=None, places=frozenset()):
    facts = CodeFacts.of(function.__code__)
    analysis = analyse(function, *args)
    recorder = lambda point: lambda *values: None
    recorders = Recorders(analysis.recorders, recorder, watch, places)
    return weave(facts, analysis.plans, regions, recorders)


def test_every_version_has_room_for_the_stubs_and_the_slots_of_the_original(regions):
    facts = CodeFacts.of(program.__code__)
    first = first_version(facts, lambda *values: None)
    later = woven(program, regions, A)
    for version in (first, later):
        assert version.code.co_stacksize == stack_size(facts) > program.__code__.co_stacksize + ROOM
        assert version.code.co_varnames == program.__code__.co_varnames
        assert version.code.co_flags == program.__code__.co_flags
        assert version.code.co_name == program.__code__.co_name
        lines = {line for *_, line in version.code.co_lines()}
        assert lines == {line for *_, line in program.__code__.co_lines()}


def test_a_stub_that_needs_more_room_is_refused(monkeypatch, regions):
    monkeypatch.setattr(weave_module, "ROOM", -9)
    with pytest.raises(AssemblyError, match="more stack"):
        woven(program, regions, A)


def test_woven_code_holds_handles_and_no_regions(regions):
    code = woven(program, regions, A).code
    held = [constant for constant in code.co_consts if type(constant) is Handle]
    assert len(held) >= 2
    assert not any(type(constant).__name__ == "Region" for constant in code.co_consts)
    assert code.co_consts[: len(program.__code__.co_consts)] == program.__code__.co_consts


def test_code_outlives_its_regions(regions):
    code = woven(program, regions, A).code
    fast = types.FunctionType(code, globals(), "f", (False,))
    assert np.array_equal(fast(A), program(A))
    regions.clear()
    assert np.array_equal(fast(A), program(A))


def test_a_version_says_where_frames_land_what_it_records_and_its_layouts(regions):
    version = woven(program, regions, A, places=frozenset({5}))
    facts = CodeFacts.of(program.__code__)
    assert set(version.landings) == {facts.first, 5}
    assert len(version.layouts) == 3
    assert not version.is_idle()
    assert [one.layout for one in regions.of_layouts(version.layouts)] == list(version.layouts)
    assert version.layouts == tuple(sorted(version.layouts, key=lambda layout: layout.start))


def test_a_version_without_anything_is_idle(regions):
    def plain(a):
        return a

    assert woven(plain, regions, 1).is_idle()
    assert not woven(plain, regions, 1, watch=lambda *values: None).is_idle()


def test_regions_are_kept_from_version_to_version(regions):
    first = woven(program, regions, A)
    second = woven(program, regions, A)
    assert first.layouts == second.layouts
    assert all(len(known.plans) == 1 for known in regions.all())


def test_the_same_layout_with_other_kinds_is_another_entry(regions):
    woven(program, regions, A)
    woven(program, regions, A.astype("f4"))
    assert all(len(known.region.entries) == 2 for known in regions.all())


def test_the_entry_shows_arguments_and_free_variables():
    free = 3

    def closure(a, /, b, *rest, c, **named):
        own = a

        def inner():
            return own

        return free, inner

    facts = CodeFacts.of(closure.__code__)
    names = [facts.body.local_names[index] for index, _ in facts.entry_slots]
    assert names == ["a", "b", "c", "rest", "named", "free"]
    assert [is_cell for _, is_cell in facts.entry_slots] == [False] * 5 + [True]


def test_a_function_that_names_an_observer_of_locals_is_observed():
    def looking(a):
        return locals()

    assert CodeFacts.of(looking.__code__).observed
    assert not CodeFacts.of(program.__code__).observed


def test_code_that_cannot_be_decoded_is_refused():
    code = program.__code__
    with pytest.raises(AssemblyError):
        CodeFacts.of(code.replace(co_code=code.co_code + bytes([0, 7])))


def test_versions_at_one_place_are_limited(monkeypatch):
    monkeypatch.setattr(weave_module, "MAX_VERSIONS_AT", 1)

    def choosing(a):
        if isinstance(a, float):
            return a + np.ones(3)
        if a.ndim == 2:
            return np.sin(a)
        return np.cos(a) * 2

    fast = dyntrace.optimize(choosing)
    for value in [A, A.reshape(5, 1), 2.0] * 4:
        assert np.array_equal(fast(value), choosing(value))
    starts = [plan.layout.start for plan, _ in tag_of(fast).compiled.plans()]
    assert len(starts) == len(set(starts))


def test_plans_of_equal_reads_are_one_entry(regions):
    (one, *_), (other, *_) = plans(analyse(program, A)), plans(analyse(program, A + 1))
    known = regions.of(one)
    assert regions.add_entry(known, other) is False
    assert describe(A) == describe(A + 1)
