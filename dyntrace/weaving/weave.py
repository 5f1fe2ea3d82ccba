"""Weaving: from an analysis to a code object with the stubs of regions and recorders in it.

Stubs are put before units, then the code is assembled. Invariant: every version has the same
co_stacksize, so that running frames fit newer code. Read `weaving.stubs` next.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from types import CodeType
from typing import Any

from dyntrace import config
from dyntrace.asm.assemble import assemble
from dyntrace.asm.emit import At, Emit, Label
from dyntrace.errors import AssemblyError
from dyntrace.record import field, record
from dyntrace.runtime.handles import Region, recording_gate
from dyntrace.trace.analysis import Recorder
from dyntrace.trace.code_facts import CodeFacts
from dyntrace.trace.regions.flush import Layout
from dyntrace.trace.regions.paths import RegionPlan
from dyntrace.weaving.bypasses import Bypass
from dyntrace.weaving.regions import RegionRecord, Regions
from dyntrace.weaving.stubs import (
    entry_stub,
    marker_stub,
    may_rest,
    recorder_stub,
    region_stub,
    with_bypass,
)

__all__ = ["Recorders", "Woven", "first_version", "stack_size", "weave"]

ROOM = 12  # stack slots that a stub needs besides the values it passes and unpacks
MAX_VERSIONS_AT = 4
OPERATION_TIME = 2  # nanoseconds of an operation of a stub

Plans = Mapping[int, list[RegionPlan]]  # by the unit where the region begins


# What recorders ask first, behind a region's handle: it answers None while the thread is watched,
# and profilers do not see it called.
_GATE = Region([((), (), recording_gate, False)])


@record(frozen=True)
class Woven:
    """A version of a code object.

    landings   by unit, the byte offset where a frame goes on that stands before the unit
    recorders  the points whose recorders are in the code; -1 is the recorder of the arguments
    layouts    those of its regions, in the order of the bytecode
    bypasses   by layout, those of the region's stubs; under None those of the recorders
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
    stubs = _Stubs(facts)
    stubs.add_entry(entry_stub(_GATE.handle, record, facts.entry_slots))
    code = _with_room(facts, assemble(facts.body, {}, tails=stubs.tails).code)
    return Woven(code, recorders=frozenset({-1}))


@record(frozen=True, eq=False)
class Recorders:
    """What a version is to learn.

    places  by point, where a recorder's stub stands and what it shows
    make    gives what the stub at a point calls
    watch   what is shown the arguments of each call; None: they are known
    stops   the units before which frames of earlier versions may stand
    """

    places: Mapping[int, Recorder]
    make: Callable[[int], Callable[..., Any]]
    watch: Callable[..., Any] | None
    stops: frozenset[int]


def weave(
    facts: CodeFacts,
    plans: Plans,
    regions: Regions,
    recorders: Recorders,
    loops: Sequence[RegionRecord] = (),
) -> Woven:
    """The next version of a code object, with these regions, recorders and regions of loops."""
    stubs = _Stubs(facts)
    _add_recorders(stubs, facts, recorders)
    _add_loops(stubs, loops)
    _add_regions(stubs, plans, regions)
    landings = sorted({facts.first, *recorders.stops})
    for unit in landings:
        stubs.add(unit, [])
    assembled = assemble(facts.body, stubs.before, tails=stubs.tails, landings=landings)
    offsets = dict(zip(landings, assembled.landing_offsets, strict=True))
    layouts = tuple(layout for layout in stubs.bypasses if layout is not None)
    bypasses = stubs.assembled(assembled.label_offsets)
    code = _with_room(facts, assembled.code)
    points = {*recorders.places, *(() if recorders.watch is None else (-1,))}
    return Woven(code, offsets, frozenset(points), layouts, bypasses)


class _Stubs:
    """The stubs of one version.

    before    by unit, what stands before it; every way to the unit leads through it
    tails     by unit, what the unit before it runs into; a jump to the unit leaves it out
    bypasses  by layout, with the labels of their stubs; under None those of the recorders
    """

    def __init__(self, facts: CodeFacts) -> None:
        self._facts = facts
        self.before: dict[int, list[Emit]] = {}
        self.tails: dict[int, list[Emit]] = {}
        self.bypasses: dict[Layout | None, list[Bypass]] = {}

    def add(self, unit: int, stub: list[Emit]) -> None:
        self.before.setdefault(unit, []).extend(stub)

    def add_tail(self, unit: int, stub: list[Emit]) -> None:
        self.tails.setdefault(unit, []).extend(stub)

    def add_entry(self, stub: list[Emit]) -> None:
        """Add the stub that shows the arguments: a call passes it once.

        A loop may begin at the first unit. It does not come back to the stub, since the body may
        have deleted an argument.
        """
        first = self._facts.first
        self.add_tail(first, [At(self._facts.body.units[first].location), *stub])

    def add_bypass(self, layout: Layout | None, bypass: Bypass) -> None:
        self.bypasses.setdefault(layout, []).append(bypass)

    def assembled(self, offsets: Mapping[Label, int]) -> dict[Layout | None, tuple[Bypass, ...]]:
        """The bypasses, with the byte offsets of their labels."""
        return {
            layout: tuple(bypass.with_offsets(offsets) for bypass in found)
            for layout, found in self.bypasses.items()
        }


def _add_recorders(stubs: _Stubs, facts: CodeFacts, recorders: Recorders) -> None:
    """Add the stubs that call recorders."""
    if recorders.watch is not None:
        bypass, stub = with_bypass(entry_stub(_GATE.handle, recorders.watch, facts.entry_slots))
        stubs.add_entry(stub)
        stubs.add_bypass(None, bypass)
    for point, place in recorders.places.items():
        stub = recorder_stub(_GATE.handle, recorders.make(point), place.values)
        bypass, stub = with_bypass(stub)
        stubs.add(place.at, stub)
        stubs.add_bypass(None, bypass)


def _add_regions(stubs: _Stubs, plans: Plans, regions: Regions) -> None:
    """Add the stubs and markers of all regions in use, a few regions at each unit."""
    for start in sorted(plans):
        versions = 0
        for plan in plans[start]:
            region = regions.of(plan).region
            if plan.layout in stubs.bypasses or versions >= MAX_VERSIONS_AT or region.retired:
                continue
            stub = region_stub(plan.layout, region.handle)
            region.stub_time = OPERATION_TIME * len(stub)
            bypass, stub = may_rest(region.handle, stub)
            stubs.add(start, stub)
            stubs.add_bypass(plan.layout, bypass)
            versions += 1
            if config.measure and plan.ends_at is not None:
                bypass, stub = with_bypass(marker_stub(region.marker))
                stubs.add_tail(plan.ends_at, stub)
                stubs.add_bypass(plan.layout, bypass)


def _add_loops(stubs: _Stubs, loops: Sequence[RegionRecord]) -> None:
    """Add the stubs of loops that are not given up, before those of other regions."""
    for loop in loops:
        if not loop.region.retired:
            handle = loop.region.handle
            bypass, stub = may_rest(handle, region_stub(loop.layout, handle))
            stubs.add(loop.layout.start, stub)
            stubs.add_bypass(loop.layout, bypass)


def stack_size(facts: CodeFacts) -> int:
    """The co_stacksize of every version.

    A stub passes locals, cells and stack items, each once at most, and unpacks locals and stack
    items.
    """
    return 2 * facts.body.code.co_stacksize + len(facts.body.local_names) + ROOM


def _with_room(facts: CodeFacts, code: CodeType) -> CodeType:
    size = stack_size(facts)
    if code.co_stacksize > size:
        raise AssemblyError("a stub needs more stack than versions share")
    return code.replace(co_stacksize=size)
