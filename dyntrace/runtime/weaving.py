"""Weaving: from an analysis to a code object with regions and recorders in it.

`Shapes` are the facts about a code object that never change, `Regions` keeps the regions of a unit
from version to version, `weave` puts stubs before units and assembles. Invariant: every version of
a unit has the same co_stacksize, so that running frames fit newer code. Read `runtime.stubs` next.
"""

from __future__ import annotations

import weakref
from collections.abc import Callable
from dataclasses import dataclass, field
from types import CodeType
from typing import Any

import numpy as np

from dyntrace import config
from dyntrace.asm.assemble import assemble
from dyntrace.asm.decode import decode
from dyntrace.asm.emit import Emit
from dyntrace.asm.flow import loop_heads, merge_points, stack_depths
from dyntrace.asm.instructions import Body
from dyntrace.asm.liveness import live_before
from dyntrace.errors import AssemblyError
from dyntrace.graph.verify import verify
from dyntrace.runtime import faults
from dyntrace.runtime.handles import Region, recording_gate
from dyntrace.runtime.stubs import entry_stub, recorder_stub, region_stub
from dyntrace.trace.analysis import Analysis, Plan, Shape
from dyntrace.trace.flush import Layout
from dyntrace.trace.interpreter import first_unit
from dyntrace.trace.state import State

__all__ = ["Known", "Regions", "Shapes", "Woven", "first_version", "weave"]

ROOM = 72  # stack slots kept free for stubs, in every version alike
DEOPT_LIMIT = 3
MAX_VERSIONS_AT = 4
_OBSERVERS = frozenset("locals vars dir eval exec _getframe currentframe inspect".split())


# A region's handle answers None while the thread is watched, and profilers do not see it called.
_GATE = Region([((), (), recording_gate, False)])


@dataclass(frozen=True, slots=True)
class Shapes:
    """The body of a code object, its flow facts, and which slots a first call shows."""

    shape: Shape
    first: int
    entry_slots: tuple[tuple[int, bool], ...]

    @property
    def body(self) -> Body:
        return self.shape.body

    @classmethod
    def of(cls, code: CodeType) -> Shapes:
        """Decode and analyse `code`; AssemblyError if that cannot be done."""
        body = decode(code)
        observed = not _OBSERVERS.isdisjoint(code.co_names)
        heads, merges = loop_heads(body), merge_points(body)
        shape = Shape(body, live_before(body), stack_depths(body), heads, merges, observed)
        return cls(shape, first_unit(body), _entry_slots(body))


def _entry_slots(body: Body) -> tuple[tuple[int, bool], ...]:
    """The arguments, and the free variables' cells."""
    code = body.code
    flags = (code.co_flags & 4 != 0) + (code.co_flags & 8 != 0)
    arguments = range(code.co_argcount + code.co_kwonlyargcount + flags)
    names = body.local_names
    free = range(len(names) - len(code.co_freevars), len(names))
    return tuple((index, index in body.cells) for index in [*arguments, *free])


@dataclass(slots=True, eq=False)
class Known:
    """A region of a unit: its layout, the state it was traced from, the plans of its entries."""

    layout: Layout
    state: State
    region: Region
    plans: list[Plan] = field(default_factory=list)
    steps: list[Any] = field(default_factory=list)
    misses: int = 0


class Regions:
    """The regions of a unit by layout, kept from version to version."""

    def __init__(self, compile_graph: Callable[..., Any], on_miss: Callable[..., bool]) -> None:
        self._compile_graph = compile_graph
        self._on_miss = weakref.WeakMethod(on_miss)
        self._known: dict[Layout, Known] = {}
        self._active: list[Layout] = []
        self.recorder_places: dict[int, int] = {}
        self.active_recorders: set[int] = set()

    def of(self, plan: Plan) -> Known:
        """The region for `plan`, with an entry for it."""
        known = self._known.get(plan.layout)
        if known is None:
            region = Region()
            region.on_miss = self._missed
            region.deopt_limit = DEOPT_LIMIT
            known = self._known[plan.layout] = Known(plan.layout, plan.state, region)
        self.add_entry(known, plan)
        return known

    def _missed(self, region: Region, args: tuple[Any, ...]) -> bool:
        on_miss = self._on_miss()
        return on_miss is not None and bool(on_miss(region, args))

    def add_entry(self, known: Known, plan: Plan) -> bool:
        """Let the region serve what `plan` was traced for; False if it does already."""
        steps = plan.region.entry_steps()
        if any(_same_steps(steps, other) for other in known.steps):
            return False
        if config.strict:
            verify(plan.region.graph)
        run = faults.guarded_run(known.region, self._compile_graph(plan.region.graph))
        known.steps.append(steps)
        known.plans.append(plan)
        known.region.add((steps, plan.region.entry_uses(), run, True))
        return True

    def record_of(self, region: Region) -> Known | None:
        return next((known for known in self._known.values() if known.region is region), None)

    def activate(self, layouts: list[Layout]) -> None:
        self._active = layouts

    def active(self) -> list[tuple[Plan, Region]]:
        """One plan for each region of the newest code, in the order of the bytecode."""
        found = [self._known[layout] for layout in self._active]
        return [(known.plans[0], known.region) for known in found if known.plans]

    def is_idle(self) -> bool:
        return not self._active and not self.active_recorders

    def clear(self) -> None:
        self._known, self._active = {}, []
        self.recorder_places, self.active_recorders = {}, set()

    def all(self) -> list[Known]:
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
    return isinstance(mine, np.dtype) and bool(mine == its)


@dataclass(frozen=True, slots=True)
class Woven:
    """A version: its code, and for each place a running frame may stand at, where to land."""

    code: CodeType
    landings: dict[int, int]


def first_version(shapes: Shapes, record: Callable[..., Any]) -> CodeType:
    """The original with a stub that shows the arguments to `record`."""
    stub = entry_stub(_GATE.handle, record, shapes.entry_slots)
    return _roomy(shapes, assemble(shapes.body, {shapes.first: stub}).code)


def weave(
    shapes: Shapes,
    analysis: Analysis,
    regions: Regions,
    recorder: Callable[[int], Callable[..., Any]],
    watch: Callable[..., Any] | None,
) -> Woven:
    """The next version of a unit; `watch` is shown the arguments of each call, if it is given."""
    stubs: dict[int, list[Emit]] = {}
    regions.active_recorders = set(analysis.recorders)
    if watch is not None:
        regions.active_recorders.add(-1)
        stubs[shapes.first] = entry_stub(_GATE.handle, watch, shapes.entry_slots)
    for point, found in analysis.recorders.items():
        regions.recorder_places[point] = found.at
        stubs.setdefault(found.at, []).extend(
            recorder_stub(_GATE.handle, recorder(point), found.count)
        )
    layouts: list[Layout] = []
    for start in sorted(analysis.plans):
        here: list[Layout] = []
        for plan in analysis.plans[start]:
            known = regions.of(plan)
            if plan.layout in here or len(here) >= MAX_VERSIONS_AT:
                continue
            here.append(plan.layout)
            stubs.setdefault(start, []).extend(region_stub(plan.layout, known.region.handle))
        layouts += here
    regions.activate(layouts)
    places = sorted({shapes.first, *regions.recorder_places.values()})
    for place in places:
        stubs.setdefault(place, [])
    assembled = assemble(shapes.body, stubs, landings=places)
    offsets = dict(zip(places, assembled.landing_offsets, strict=True))
    return Woven(_roomy(shapes, assembled.code), offsets)


def _roomy(shapes: Shapes, code: CodeType) -> CodeType:
    size = shapes.body.code.co_stacksize + ROOM
    if code.co_stacksize > size:
        raise AssemblyError("a stub needs more stack than versions share")
    return code.replace(co_stacksize=size)
