"""Weaving: from an analysis to a code object with the stubs of regions and recorders in it.

Stubs are put before units, then the code is assembled. Invariant: every version has the same
co_stacksize, so that running frames fit newer code. Read `weaving.stubs` next.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import CodeType
from typing import Any

from dyntrace import config
from dyntrace.asm.assemble import assemble
from dyntrace.asm.emit import At, Emit
from dyntrace.errors import AssemblyError
from dyntrace.record import field, record
from dyntrace.runtime.handles import Region, recording_gate
from dyntrace.trace.analysis import Analysis
from dyntrace.trace.code_facts import CodeFacts
from dyntrace.trace.regions.flush import Layout
from dyntrace.weaving.bypasses import Bypass
from dyntrace.weaving.regions import Regions
from dyntrace.weaving.stubs import (
    LabelledBypass,
    entry_stub,
    marker_stub,
    may_rest,
    recorder_stub,
    region_stub,
    with_bypass,
)

__all__ = ["Woven", "first_version", "stack_size", "weave"]

ROOM = 12  # stack slots that a stub needs besides the values it passes and unpacks
MAX_VERSIONS_AT = 4
OPERATION_TIME = 2  # nanoseconds of an operation of a stub


# A region's handle answers None while the thread is watched, and profilers do not see it called.
_GATE = Region([((), (), recording_gate, False)])


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
