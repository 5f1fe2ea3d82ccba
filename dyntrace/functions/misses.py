"""Misses: a region has no entry for a call, so its start is traced again for these inputs.

The trace becomes another entry of the same region, or of one that begins at the same unit with
another layout; if there is none, the next version has one. Invariant: a region that keeps missing
stops asking. Read `runtime.region` for a call that misses.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from dyntrace.functions.pacing import COMPILING
from dyntrace.functions.states import with_arguments
from dyntrace.functions.varying import varying_in
from dyntrace.functions.waiting import may_compile
from dyntrace.runtime.handles import Region
from dyntrace.trace.regions.paths import RegionPlan, unaffected_paths
from dyntrace.trace.state import State
from dyntrace.weaving.bypasses import CLOSED
from dyntrace.weaving.regions import RegionRecord

if TYPE_CHECKING:
    from dyntrace.functions.compiled_code import CompiledCode

__all__ = ["learn_from_miss"]

MAX_ENTRIES, MAX_MISSES = 16, 48
MISSES_FOR_OTHERS = 5  # that a miss counts for which another region at the unit serves


def learn_from_miss(compiled: CompiledCode, region: Region, args: tuple[Any, ...]) -> bool:
    """All entries of `region` refused `args`: whether one of them takes `args` now."""
    if compiled.given_up or not may_compile(compiled):
        return False
    with COMPILING, compiled.pace:
        missed = compiled.regions.record_of(region)
        if missed is None:
            return False  # a reset has dropped it
        missed.misses += 1
        if missed.misses > MAX_MISSES or len(region.entries) >= MAX_ENTRIES:
            region.on_miss = None
            return False
        return not _generalise(compiled, missed) and _retrace(compiled, missed, args)


def _generalise(compiled: CompiledCode, missed: RegionRecord) -> bool:
    """Compile again where a region has read too many values, so that none is read there."""
    knowledge, versions = compiled.knowledge, compiled.versions
    found = varying_in(missed) - knowledge.varying
    if not found or compiled.facts is None or not versions.may_grow():
        return False
    knowledge.varying |= found
    knowledge.paths = unaffected_paths(knowledge.paths, compiled.facts.body, found)
    compiled.regions.forget(missed)
    versions.bypasses.move(missed.layout, CLOSED, versions.newest.code)
    compiled.compile()
    return True


def _retrace(compiled: CompiledCode, missed: RegionRecord, args: tuple[Any, ...]) -> bool:
    """Trace the region's start with the kinds of `args`; whether it serves them now."""
    facts, tracer = compiled.facts, compiled.tracer()
    if facts is None or tracer is None:
        return False
    start = missed.layout.start
    state = with_arguments(missed.state, missed.layout.arguments, args)
    ends = facts.heads | facts.merges & {missed.layout.end}
    plan = tracer.plan(tracer.trace(start, state, ends, trim=False))
    traced = plan if isinstance(plan, RegionPlan) else None
    serving = None if traced is None else compiled.regions.of_layout(traced.layout)
    if traced is None or serving is None:
        _weave_in(compiled, start, state, by_value=traced is not None)
        return False
    missed.misses += MISSES_FOR_OTHERS * (serving is not missed)
    return compiled.regions.add_entry(serving, traced) and serving is missed


def _weave_in(compiled: CompiledCode, start: int, state: State, by_value: bool) -> None:
    """Other kinds, or values, lead to another region here: weave it in, for the next call."""
    knowledge = compiled.knowledge
    if compiled.versions.may_grow() and knowledge.accepts(start, state, by_value):
        knowledge.starts.append((start, state))
        knowledge.paths.pop(start, None)  # they may be out of date
        compiled.compile()
