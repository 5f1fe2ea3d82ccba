"""Paths: a second analysis traces what the news concern, and nothing else."""

from __future__ import annotations

import numpy as np
import pytest

import dyntrace
from dyntrace.graph.describe import describe
from dyntrace.trace.analysis import explore
from dyntrace.trace.code_facts import CodeFacts
from dyntrace.trace.marks import tag_of
from dyntrace.trace.regions import tracer
from dyntrace.trace.regions.paths import unaffected_paths
from dyntrace.trace.regions.tracer import RegionTracer
from dyntrace.trace.sources import Local, StackItem
from tests.trace.tracing import NoCopies, entry_state, plans

A = np.arange(1.0, 7.0)
FACTOR = 2.0


class OneCopy(NoCopies):
    """A copy for every function, while there are any."""

    def __init__(self):
        self.optimised_copy = test_what_is_known_already_is_not_traced_again

    def copy_of(self, function):
        return self.optimised_copy


class Analyses:
    """Analyses of one function, each after the one before."""

    def __init__(self, function, *args, copies=None):
        self.function = function
        self.copies = copies or NoCopies()
        self.facts = CodeFacts.of(function.__code__)
        self.start = self.facts.first, entry_state(self.facts, function, args)
        self.paths = {}
        self.profile = {}

    def next(self):
        namespace = self.function.__globals__
        regions = RegionTracer(self.facts, namespace, self.copies)
        found = explore(regions, [self.start], self.profile, self.paths)
        self.paths = found.paths
        return found

    def learn(self, analysis, value):
        """What the first recorder of `analysis` saw."""
        self.profile[min(analysis.recorders)] = [(describe(value),)]


@pytest.fixture
def traced(monkeypatch):
    """The units at which traces have begun."""
    starts = []
    trace_region = tracer.trace_region

    def counting(body, namespace, start, *rest):
        starts.append(start)
        return trace_region(body, namespace, start, *rest)

    monkeypatch.setattr(tracer, "trace_region", counting)
    return starts


def opaque(a):
    return np.random.permutation(a)


def two_regions(a):
    b = np.sin(a) * FACTOR
    c = opaque(b)
    return np.cos(c) + b


def told(analysis):
    return [(found.unit, found.reason, found.detail) for found in analysis.breaks.all()]


def test_what_is_known_already_is_not_traced_again(traced):
    analyses = Analyses(two_regions, A)
    first = analyses.next()
    count = len(traced)
    second = analyses.next()
    assert count > 1 and len(traced) == count
    assert [id(plan) for plan in plans(first)] == [id(plan) for plan in plans(second)]
    assert told(first) == told(second) and first.recorders == second.recorders
    assert first.explored == second.explored and first.traces == second.traces


def test_news_are_traced_and_only_what_comes_behind_them(traced):
    analyses = Analyses(two_regions, A)
    analyses.learn(analyses.next(), A)
    before = plans(analyses.next())
    traced.clear()
    analyses.profile[min(analyses.profile)] = [(describe(np.arange(3)),)]
    after = plans(analyses.next())
    assert before[0] is after[0] and before[-1] is not after[-1]
    assert traced and min(traced) >= before[0].layout.end


def test_a_global_that_has_changed_is_traced_again(traced, monkeypatch):
    analyses = Analyses(two_regions, A)
    first = analyses.next()
    monkeypatch.setitem(two_regions.__globals__, "FACTOR", 3)
    traced.clear()
    second = analyses.next()
    assert len(traced) == 1 and plans(first)[0] is not plans(second)[0]


def test_a_number_of_another_value_is_traced_again_where_it_was_an_argument(traced):
    def program(a, axis):
        return np.sum(a, axis=axis)

    analyses = Analyses(program, A, 0)
    (before,) = plans(analyses.next())
    analyses.start = analyses.start[0], entry_state(analyses.facts, program, (A, -1))
    (after,) = plans(analyses.next())
    assert [step.guard.first for step in before.region.steps if step.guard.op == "value"] == [0]
    assert [step.guard.first for step in after.region.steps if step.guard.op == "value"] == [-1]


def test_a_global_that_was_missing_is_looked_for_again(traced, monkeypatch):
    def program(a):
        return late(a + 1)  # noqa: F821

    analyses = Analyses(program, A)
    assert [found.reason.code for found in analyses.next().breaks.all()] != []
    monkeypatch.setitem(program.__globals__, "late", np.sin)
    found = analyses.next()
    assert told(found) == [] and len(plans(found)) == 1


def test_a_call_whose_twin_is_given_up_is_traced_again(traced):
    def program(a):
        return opaque(a * 2) + 1

    copies = OneCopy()
    analyses = Analyses(program, A, copies=copies)
    assert any(plan.region.copy_of is not None for plan in plans(analyses.next()))
    traced.clear()
    analyses.next()
    assert traced == []
    copies.optimised_copy = None
    found = analyses.next()
    assert traced and all(plan.region.copy_of is None for plan in plans(found))


def test_no_path_keeps_an_array_of_the_users_alive():
    def program(a):
        b = np.sin(a)
        print(end="")
        return b + 1

    fast = dyntrace.optimize(program)
    fast(np.arange(5.0))
    compiled = tag_of(fast).compiled
    assert compiled.knowledge.paths
    held = [
        repr(path.state) + repr(path.after)
        for found in compiled.knowledge.paths.values()
        for path in found
    ]
    assert "array(" not in "".join(held)


def test_paths_that_use_a_name_whose_value_varies_are_traced_again(traced):
    def program(a, axis):
        b = np.sum(a, axis=axis)
        c = opaque(b)
        return c * 2

    analyses = Analyses(program, A, 0)
    analyses.learn(analyses.next(), 1.5)
    before = plans(analyses.next())
    body, index = analyses.facts.body, 1
    kept = unaffected_paths(analyses.paths, body, frozenset({(None, Local(index))}))
    left = [path for found in kept.values() for path in found]
    assert before[0] not in [path.plan for path in left]
    assert left and all(path.start > before[0].layout.start for path in left)
    (start, *_) = [path.start for path in left]
    assert unaffected_paths(kept, body, frozenset({(start, StackItem(0))}))[start] == []


def test_a_reset_forgets_the_paths():
    fast = dyntrace.optimize(two_regions)
    fast(A)
    compiled = tag_of(fast).compiled
    assert compiled.knowledge.paths
    compiled.reset()
    assert compiled.knowledge.paths == {}
