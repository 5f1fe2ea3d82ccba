"""Paths: what a trace came to, kept from one version of a function to the next.

A new version is analysed with more knowledge, most of which concerns a few places. What starts from
the same kinds at the same unit, under the same globals and the same copies, is not traced again.
Invariant: a path holds kinds, plans and reasons, never a value of the user's; it may be out of date
in other respects (an attribute of a class has changed), which its plan's guards notice. Read
`trace.analysis`, the user, next.
"""

from __future__ import annotations

from collections.abc import Mapping

from dyntrace.asm.instructions import Body
from dyntrace.breaks import REGION_FULL
from dyntrace.graph.kinds import Kind
from dyntrace.record import record
from dyntrace.trace.frame import Break, Flush
from dyntrace.trace.globals import GlobalKinds
from dyntrace.trace.interpreter import Trace
from dyntrace.trace.regions.builder import RegionBuilder, Varying
from dyntrace.trace.regions.flush import Layout
from dyntrace.trace.regions.worth import LeftAlone
from dyntrace.trace.sources import (
    Attribute,
    CellVariable,
    Contents,
    GlobalName,
    Local,
    ModuleAttribute,
    Source,
)
from dyntrace.trace.state import State, snapshot

__all__ = ["Path", "RegionPlan", "path_of", "unaffected_paths"]


@record(frozen=True)
class RegionPlan:
    """A region to weave: its layout, and what was traced for it.

    `works` tells whether its own operations may pay; if not, it only replaces a callee by its
    optimised copy. `ends_at` is the unit that follows the original instructions of the region, if
    only the unit before it leads there; otherwise, or where there is nothing to be measured (an
    optimised copy gains in its calls), None.
    """

    layout: Layout
    region: RegionBuilder
    state: State
    lineno: int
    end_lineno: int
    works: bool = True
    ends_at: int | None = None

    def names(self, local_names: tuple[str, ...]) -> tuple[str | None, ...]:
        """What the user calls the graph's inputs, where one name does."""
        return tuple(_name(source, local_names) for source in self.region.input_sources())


def _name(source: Source, local_names: tuple[str, ...]) -> str | None:
    match source:
        case Local(index=index) | Contents(base=CellVariable(index=index)):
            return local_names[index] if local_names[index].isidentifier() else None
        case GlobalName(name=name) | Attribute(name=name) | ModuleAttribute(name=name):
            return name
    return None


@record()
class Path:
    """One path from unit `start` in `state`, to unit `end` in state `after`.

    walked      the units passed, those before the plan's region among them
    absorbed    the units of the region, or of what would be one if it were worth it
    stop        why the path ends there; None at a loop head, where paths meet, behind an effect
    has_effect  whether an effect ends it
    worthwhile  whether there is work in it
    handlers    the exception handlers that cover it, and the state they start in
    notes       the globals met
    callee      the function whose call ends the path and is not inlined
    has_copy    whether the plan calls that function's copy
    left_alone  what makes no region since it would lose, and the unit it begins at
    """

    start: int
    state: State
    end: int
    after: State
    walked: tuple[int, ...]
    absorbed: tuple[int, ...]
    stop: Flush | None
    has_effect: bool
    worthwhile: bool
    handlers: tuple[tuple[int, State], ...]
    global_kinds: GlobalKinds
    callee: Kind | None
    has_copy: bool
    plan: RegionPlan | None
    left_alone: tuple[int, LeftAlone] | None = None

    def ends_by(self, ends: frozenset[int]) -> bool:
        """Whether a trace that has to end at `ends` would be the same."""
        if not ends.isdisjoint(self.walked[1:]):
            return False
        return self.stop is not None or self.has_effect or self.end in ends

    @property
    def is_full(self) -> bool:
        """Whether it ends because the region is full, and goes on right there."""
        stop = self.stop
        return isinstance(stop, Break) and stop.reason is REGION_FULL and bool(self.absorbed)


def unaffected_paths(
    paths: Mapping[int, list[Path]], body: Body, varying: Varying
) -> dict[int, list[Path]]:
    """The paths that are still right now that the sources in `varying` are not read by value."""
    affected = {start for start, _ in varying if start is not None}
    slots = {source.index for _, source in varying if isinstance(source, Local)}

    def stays(path: Path) -> bool:
        starts = {path.start, path.start if path.plan is None else path.plan.layout.start}
        units = [body.units[index] for index in (*path.walked, path.end)]
        steps = [step for unit in units for step in unit.micro if step.name in _LOCAL]
        return starts.isdisjoint(affected) and slots.isdisjoint(step.arg for step in steps)

    return {start: [path for path in found if stays(path)] for start, found in paths.items()}


_LOCAL = frozenset({"LOAD_FAST", "LOAD_FAST_CHECK", "STORE_FAST", "LOAD_DEREF", "STORE_DEREF"})


def path_of(
    trace: Trace,
    start: int,
    state: State,
    handlers: list[tuple[int, State]],
    plan: RegionPlan | None,
) -> Path:
    """What `trace` came to, which began at `start` in `state`."""
    return Path(
        start,
        state,
        trace.end,
        snapshot(trace.frame),
        trace.walked,
        tuple(visit.unit for visit in trace.visits),
        trace.stop,
        trace.region.graph.effect is not None,
        trace.worthwhile,
        tuple(handlers),
        trace.global_kinds,
        trace.callee,
        trace.has_copy,
        plan,
    )
