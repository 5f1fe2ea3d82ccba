"""Weaving: from an analysis to a code object with regions and recorders in it.

`Regions` keeps the regions of a code object from version to version, `weave` puts stubs before
units and assembles. Invariant: every version has the same co_stacksize, so that running frames fit
newer code. Read `weaving.stubs` next.
"""

from __future__ import annotations

import weakref
from collections.abc import Callable, Mapping
from types import CodeType, MethodType
from typing import Any

import numpy as np

from dyntrace import config
from dyntrace.asm.assemble import assemble
from dyntrace.asm.emit import At, Emit
from dyntrace.errors import AssemblyError
from dyntrace.graph.verify import verify
from dyntrace.record import field, record
from dyntrace.runtime import faults
from dyntrace.runtime.handles import Region, recording_gate
from dyntrace.trace.analysis import Analysis
from dyntrace.trace.code_facts import CodeFacts
from dyntrace.trace.regions.flush import Layout
from dyntrace.trace.regions.paths import RegionPlan
from dyntrace.trace.regions.worth import sized_inputs
from dyntrace.trace.state import State
from dyntrace.weaving.bypasses import Bypass
from dyntrace.weaving.stubs import (
    LabelledBypass,
    entry_stub,
    marker_stub,
    may_rest,
    recorder_stub,
    region_stub,
    with_bypass,
)

__all__ = ["RegionRecord", "Regions", "Woven", "first_version", "stack_size", "weave"]

ROOM = 12  # stack slots that a stub needs besides the values it passes and unpacks
DEOPT_LIMIT = 3
MAX_VERSIONS_AT = 4
OPERATION_TIME = 2  # nanoseconds of an operation of a stub


# A region's handle answers None while the thread is watched, and profilers do not see it called.
_GATE = Region([((), (), recording_gate, False)])


def weak_method(method: Any) -> Callable[[], Callable[..., Any] | None]:
    """Gives a bound method while its object lives; unlike `WeakMethod` it calls no built-in."""
    owner_of, function = weakref.ref(method.__self__), method.__func__

    def found() -> Callable[..., Any] | None:
        owner = owner_of()
        return None if owner is None else MethodType(function, owner)

    return found


@record(eq=False)
class RegionRecord:
    """A region: its layout, the state it was traced from, the plans of its entries."""

    layout: Layout
    state: State
    region: Region
    plans: list[RegionPlan] = field(default_factory=list)
    steps: list[Any] = field(default_factory=list)
    programs: list[Callable[..., Any]] = field(default_factory=list)
    misses: int = 0

    def does_work(self) -> bool:
        """Whether it is still used, and for more than to replace a callee by its optimised copy."""
        return not self.region.retired and any(plan.works for plan in self.plans)


class Regions:
    """The regions of a code object by layout, kept from version to version."""

    def __init__(
        self,
        compile_graph: Callable[..., Any],
        on_miss: Callable[..., bool],
        on_retire: Callable[[Region], None],
        on_rest: Callable[[Region], None],
    ) -> None:
        self._compile_graph = compile_graph
        self._on_miss = weak_method(on_miss)
        self._on_retire = weak_method(on_retire)
        self._on_rest = weak_method(on_rest)
        self._known: dict[Layout, RegionRecord] = {}

    def of(self, plan: RegionPlan) -> RegionRecord:
        """The region for `plan`, with an entry for it."""
        known = self._known.get(plan.layout)
        if known is None:
            known = self._known[plan.layout] = RegionRecord(
                plan.layout, plan.state, self._region(plan)
            )
        if not known.region.retired:
            self.add_entry(known, plan)
        return known

    def _region(self, plan: RegionPlan) -> Region:
        region = Region()
        region.on_miss = self._missed
        region.on_retire = self._retired
        region.on_rest = self._rested
        region.deopt_limit = DEOPT_LIMIT
        region.commits = plan.layout.effect_only
        if config.measure and plan.ends_at is not None:
            region.measure()
        return region

    def _missed(self, region: Region, args: tuple[Any, ...]) -> bool:
        on_miss = self._on_miss()
        return on_miss is not None and bool(on_miss(region, args))

    def _retired(self, region: Region) -> None:
        on_retire = self._on_retire()
        if on_retire is not None:
            on_retire(region)

    def _rested(self, region: Region) -> None:
        on_rest = self._on_rest()
        if on_rest is not None:
            on_rest(region)

    def add_entry(self, known: RegionRecord, plan: RegionPlan) -> bool:
        """Let the region serve what `plan` was traced for; False if it does already."""
        if any(plan is other for other in known.plans):
            return False
        steps = plan.region.entry_steps()
        if any(_same_steps(steps, other) for other in known.steps):
            return False
        if config.strict:
            verify(plan.region.graph)
        program = self._compile_graph(plan.region.graph)
        run = faults.guarded_run(known.region, program)
        known.steps.append(steps)
        known.programs.append(program)
        known.plans.append(plan)
        uses = plan.region.entry_uses()
        sized = tuple(uses[place] for place in sized_inputs(plan.region.graph))
        known.region.add((steps, uses, run, True, sized))
        return True

    def record_of(self, region: Region) -> RegionRecord | None:
        return next((known for known in self._known.values() if known.region is region), None)

    def of_layout(self, layout: Layout) -> RegionRecord | None:
        return self._known.get(layout)

    def of_layouts(self, layouts: tuple[Layout, ...]) -> list[RegionRecord]:
        """The regions of a version, in the order of the bytecode."""
        found = [self._known[layout] for layout in layouts if layout in self._known]
        return [known for known in found if known.plans]

    def forget(self, known: RegionRecord) -> None:
        """Drop a region; its handles answer None from now on."""
        self._known.pop(known.layout, None)

    def clear(self) -> None:
        self._known = {}

    def all(self) -> list[RegionRecord]:
        return list(self._known.values())


def _same_steps(one: tuple[Any, ...], other: tuple[Any, ...]) -> bool:
    return len(one) == len(other) and all(map(_same_step, one, other))


def _same_step(one: tuple[Any, ...], other: tuple[Any, ...]) -> bool:
    for mine, its in zip(one, other, strict=True):
        if mine is its:
            continue
        if type(mine) is not type(its) or (
            type(mine) not in (int, str) and not _equal_plain(mine, its)
        ):
            return False
        if type(mine) in (int, str) and mine != its:
            return False
    return True


def _equal_plain(mine: Any, its: Any) -> bool:
    """Whether two dtypes, or two tuples of the keys of a dict, are the same."""
    if isinstance(mine, tuple):
        return len(mine) == len(its) and all(
            type(a) is type(b) and a == b for a, b in zip(mine, its, strict=True)
        )
    return isinstance(mine, np.dtype) and bool(mine == its)


@record(frozen=True)
class Woven:
    """A version.

    landings   for each place a running frame may stand at, the byte offset where it goes on
    recorders  the points whose recorders are in the code; -1 is the watch on the arguments
    layouts    those of its regions, in the order of the bytecode
    bypasses   of each layout, where its stubs can be jumped over; None: those of the recorders
    """

    code: CodeType
    landings: dict[int, int] = field(default_factory=dict)
    recorders: frozenset[int] = frozenset()
    layouts: tuple[Layout, ...] = ()
    bypasses: Mapping[Layout | None, tuple[Bypass, ...]] = field(default_factory=dict)

    def is_idle(self) -> bool:
        """Whether the code is the original's, instruction by instruction."""
        return not self.recorders and not self.layouts


def first_version(facts: CodeFacts, record: Callable[..., Any]) -> Woven:
    """The original with a stub that shows the arguments to `record`."""
    stub = entry_stub(_GATE.handle, record, facts.entry_slots)
    code = _roomy(facts, assemble(facts.body, {}, tails=_entry(facts, stub)).code)
    return Woven(code, recorders=frozenset({-1}))


def _entry(facts: CodeFacts, stub: list[Emit]) -> dict[int, list[Emit]]:
    """The stub that shows the arguments, where a call comes once and a loop does not come back.

    In a loop that begins at the first unit an argument may have been deleted.
    """
    return {facts.first: [At(facts.body.units[facts.first].location), *stub]}


def weave(
    facts: CodeFacts,
    analysis: Analysis,
    regions: Regions,
    recorder: Callable[[int], Callable[..., Any]],
    watch: Callable[..., Any] | None,
    places: frozenset[int],
) -> Woven:
    """The next version of a code object.

    `watch` is shown the arguments of each call, if it is given; frames of earlier versions may
    stand before the units in `places`.
    """
    stubs: dict[int, list[Emit]] = {}
    points = set(analysis.recorders)
    tails: dict[int, list[Emit]] = {}
    recording: list[LabelledBypass] = []
    if watch is not None:
        points.add(-1)
        bypass, stub = with_bypass(entry_stub(_GATE.handle, watch, facts.entry_slots))
        recording.append(bypass)
        tails = _entry(facts, stub)
    for point, found in analysis.recorders.items():
        bypass, stub = with_bypass(recorder_stub(_GATE.handle, recorder(point), found.values))
        recording.append(bypass)
        stubs.setdefault(found.at, []).extend(stub)
    labelled = _add_regions(stubs, tails, analysis, regions)
    landings = sorted({facts.first, *places})
    for place in landings:
        stubs.setdefault(place, [])
    assembled = assemble(facts.body, stubs, tails=tails, landings=landings)
    offsets = dict(zip(landings, assembled.landing_offsets, strict=True))
    at = assembled.label_offsets
    by_layout: list[tuple[Layout | None, list[LabelledBypass]]]
    by_layout = [*labelled.items(), (None, recording)]
    bypasses = {
        layout: tuple((at[a], at[b], at[c], at[d], at[e]) for a, b, c, d, e in found)
        for layout, found in by_layout
    }
    code = _roomy(facts, assembled.code)
    return Woven(code, offsets, frozenset(points), tuple(labelled), bypasses)


def _add_regions(
    stubs: dict[int, list[Emit]], tails: dict[int, list[Emit]], analysis: Analysis, regions: Regions
) -> dict[Layout, list[LabelledBypass]]:
    """Add the stubs of all regions, a few versions at each start; the bypasses of their layouts."""
    found: dict[Layout, list[LabelledBypass]] = {}
    for start in sorted(analysis.plans):
        versions = 0
        for plan in analysis.plans[start]:
            known = regions.of(plan)
            if plan.layout in found or versions >= MAX_VERSIONS_AT or known.region.retired:
                continue
            stub = region_stub(plan.layout, known.region.handle)
            known.region.stub_time = OPERATION_TIME * len(stub)
            bypass, stub = may_rest(known.region.handle, stub)
            stubs.setdefault(start, []).extend(stub)
            found[plan.layout] = [bypass]
            versions += 1
            if config.measure and plan.ends_at is not None:
                bypass, stub = with_bypass(marker_stub(known.region.marker))
                tails.setdefault(plan.ends_at, []).extend(stub)
                found[plan.layout].append(bypass)
    return found


def stack_size(facts: CodeFacts) -> int:
    """That of every version: a stub passes locals, cells and stack items, each once at most, and
    what it unpacks are locals and stack items again.
    """
    return 2 * facts.body.code.co_stacksize + len(facts.body.local_names) + ROOM


def _roomy(facts: CodeFacts, code: CodeType) -> CodeType:
    size = stack_size(facts)
    if code.co_stacksize > size:
        raise AssemblyError("a stub needs more stack than versions share")
    return code.replace(co_stacksize=size)
