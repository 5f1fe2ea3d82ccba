"""Paths: the results of traces, which are used again when a new version of a function is analysed.

A trace that would start at the same unit in the same state, with the same kinds of globals and the
same optimised copies, gives the same path, so it is not made again. Invariant: a path holds kinds,
plans and reasons, and never the user's values. It may be out of date in other respects (a class has
another attribute); then the guards of its plan fail. Read `trace.analysis`, the user, next.
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
    """A region to weave.

    layout   how the stub calls it
    region   its graph, reads and guards
    state    the state that it was traced from
    works    whether its operations may pay; if not, it only replaces a callee by its optimised copy
    ends_at  the region's end, if a marker can stand there to time the original instructions: only
             the unit before it leads there. None if others do, or if there is nothing to time,
             since an optimised copy saves time in its own regions.
    """

    layout: Layout
    region: RegionBuilder
    state: State
    lineno: int
    end_lineno: int
    works: bool = True
    ends_at: int | None = None

    def names(self, local_names: tuple[str, ...]) -> tuple[str | None, ...]:
        """The user's name of each of the graph's inputs, or None."""
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
    """One path from unit `start` in `state` to unit `end` in state `after`.

    walked        the units of the path, with those before the region
    absorbed      the units of the region, whether or not it is woven
    stop          why the path ends; None at a loop head, where paths meet, or behind an effect
    has_effect    whether an effect ends it
    worthwhile    whether the region does array work or calls an optimised copy
    handlers      the exception handlers that cover it, with the states they start in
    global_kinds  the global names that the trace looked up, with their kinds
    callee        the function whose call ends the path and is not inlined
    has_copy      whether the plan calls that function's optimised copy
    plan          the region to weave, or None
    left_alone    if a region is not woven because it would lose, its first unit and the reason
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
        """Whether a trace that must stop at each of `ends` would give this path."""
        if not ends.isdisjoint(self.walked[1:]):
            return False
        return self.stop is not None or self.has_effect or self.end in ends

    @property
    def is_full(self) -> bool:
        """Whether it ends because the region is full, so that another region can follow at once."""
        stop = self.stop
        return isinstance(stop, Break) and stop.reason is REGION_FULL and bool(self.absorbed)


def unaffected_paths(
    paths: Mapping[int, list[Path]], body: Body, varying: Varying
) -> dict[int, list[Path]]:
    """The paths that remain valid if the values of the sources in `varying` are not guarded."""
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
    """The path of `trace`, which was to start at `start` in `state`; its region may start later."""
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
