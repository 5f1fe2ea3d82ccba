"""Analysis: from a function's entry through everything reachable, region by region.

Starting from the kinds of the arguments, each path is traced to its end, the instruction that
stopped it is stepped over as CPython runs it, and the trace goes on behind it. What native
instructions push is taken from the profile of earlier runs; where that is silent, a recorder is
asked for. Invariant: a plan guards all it assumes, so an analysis can be incomplete but not wrong.
Read `trace.regions.flush` and `compile` next.
"""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from typing import Any

from dyntrace import config
from dyntrace.asm.flow import successors
from dyntrace.asm.instructions import Body, Location, Unit
from dyntrace.breaks import (
    BRANCH_ON_DATA,
    CONTEXT_MANAGER,
    EXCEPTION_HANDLING,
    MAYBE_UNBOUND,
    RAISE,
    REGION_FULL,
    TOO_MANY_PATHS,
    UNKNOWN_CALLEE,
    UNKNOWN_VALUE,
    BreakReason,
)
from dyntrace.graph import kinds
from dyntrace.graph.kinds import Kind
from dyntrace.record import field, record
from dyntrace.trace.code_facts import CodeFacts
from dyntrace.trace.frame import Break
from dyntrace.trace.globals import Globals
from dyntrace.trace.interpreter import Trace, lowest_slot, trace_region
from dyntrace.trace.regions.builder import TooLarge, Varying
from dyntrace.trace.regions.flush import lay_out
from dyntrace.trace.regions.paths import Path, RegionPlan, path_of
from dyntrace.trace.regions.worth import LeftAlone, may_win
from dyntrace.trace.semantics.inline import NotInlined
from dyntrace.trace.semantics.optimised_copies import Copies, copy_for, has_copy
from dyntrace.trace.state import State, pushed_values, stack_kinds, state_after
from dyntrace.trace.values.base import Outside
from dyntrace.trace.values.callables import BoundFunction, CallableWithCopy

__all__ = ["Analysis", "FoundBreak", "Recorder", "recorder_of"]

MAX_STATES = 4
MAX_TRACES = 600
PATIENCE = 1500  # units traced, and still to be traced, before paths end where they meet others
MAX_RECORDED = 256
_NOT_RECORDED = frozenset({"MAKE_FUNCTION", "GET_ITER"})

Results = tuple[Kind, ...]


@record(frozen=True)
class FoundBreak:
    """A graph break, where it is and why."""

    unit: int
    lineno: int
    place: Location
    reason: BreakReason
    detail: str


@record(frozen=True)
class Recorder:
    """A place to learn kinds: before unit `at`, the values that unit `point` pushed.

    `values` are their depths, as in `trace.state.pushed_values`.
    """

    at: int
    point: int
    values: tuple[int, ...]


@record()
class Analysis:
    """One analysis; `run` fills plans, breaks and recorders.

    `earlier` are the paths of the one before, `paths` becomes those of this one.
    """

    facts: CodeFacts
    namespace: dict[str, Any]
    profile: Mapping[int, list[Results]]
    copies: Copies
    varying: Varying = frozenset()
    earlier: Mapping[int, list[Path]] = field(default_factory=dict)
    globals: Globals = field(default_factory=Globals)
    paths: dict[int, list[Path]] = field(default_factory=dict)
    plans: dict[int, list[RegionPlan]] = field(default_factory=dict)
    breaks: dict[int, FoundBreak] = field(default_factory=dict)
    breaks_at: dict[int, list[FoundBreak]] = field(default_factory=dict)
    told: set[tuple[Location, str, str]] = field(default_factory=set)
    recorders: dict[int, Recorder] = field(default_factory=dict)
    left_alone: dict[int, LeftAlone] = field(default_factory=dict)
    explored: dict[int, list[State]] = field(default_factory=dict)
    absorbed: set[int] = field(default_factory=set)
    traces: int = 0
    visited: int = 0
    met: set[int] = field(default_factory=set)

    def run(self, starts: list[tuple[int, State]]) -> None:
        """Explore everything reachable from `starts`."""
        waiting = list(reversed(starts))
        given = {id(state) for _, state in starts}  # explored though only their values are new
        while waiting and self.traces < MAX_TRACES:
            start, state = waiting.pop()
            is_given, state = id(state) in given, self._fitted(start, state)
            if self._is_new(start, state) or is_given:
                waiting += reversed(self._explore(start, state))
        left = (at for at, state in reversed(waiting) if self._is_new(at, self._fitted(at, state)))
        for start in itertools.islice(left, 1):
            place = self.facts.body.units[start].location
            self.breaks[start] = FoundBreak(start, place.line or 0, place, TOO_MANY_PATHS, "")
        self._forget_rumours()

    def finds_work(self) -> bool:
        """Whether there is array work in what it found, not just calls to replace."""
        return any(plan.works for plans in self.plans.values() for plan in plans)

    def _forget_rumours(self) -> None:
        """Values are unknown on paths that never ran, though others absorbed the same source."""
        seen = {self.facts.body.units[unit].location for unit in self.absorbed}
        for unit, found in list(self.breaks.items()):
            if found.reason is UNKNOWN_VALUE and found.place in seen:
                del self.breaks[unit]

    def _fitted(self, start: int, state: State) -> State:
        """Only what can matter at `start`; the stack has the depth it has there."""
        depth = self.facts.depths[start] or 0
        live = state if self.facts.observed else state.only(self.facts.live[start])
        missing = (kinds.UNKNOWN,) * (depth - len(live.stack))
        if len(live.stack) == depth:
            return live
        return State(live.slots, live.stack[:depth] + missing)

    def _is_new(self, start: int, state: State) -> bool:
        known = self.explored.setdefault(start, [])
        if state in known or len(known) >= MAX_STATES:
            return False
        known.append(state)
        return True

    # one path ---------------------------------------------------------------------------------

    def _explore(self, start: int, state: State) -> list[tuple[int, State]]:
        self.traces += 1
        path = self._earlier_path(start, state) or self._new_path(start, state)
        self.paths.setdefault(start, []).append(path)
        if path.plan is not None:
            self.plans.setdefault(path.plan.layout.start, []).append(path.plan)
            self.absorbed.update(path.absorbed)
        if path.left_alone is not None:
            self.left_alone.setdefault(*path.left_alone)
        self._note_break(path)
        following = self._following(path)
        self._note_path(path, following)
        return [*following, *path.handlers]

    def _earlier_path(self, start: int, state: State) -> Path | None:
        """What an earlier analysis found from here, if this one would find the same."""
        for path in self.earlier.get(start, ()):
            if (
                path.state.is_same(state)
                and path.ends_by(self._ends())
                and self.globals.still_hold(path.global_kinds, self.namespace)
                and (
                    path.callee is None
                    or path.has_copy is has_copy(self.copies, self.namespace, path.callee)
                )
            ):
                return path
        return None

    def _new_path(self, start: int, state: State) -> Path:
        trace = self.trace(start, state)
        plan = self.plan(trace)
        path = path_of(trace, start, state, self._handlers(trace), plan)
        if plan is None and trace.start in self.left_alone:
            path.left_alone = (trace.start, self.left_alone[trace.start])
        return path

    def _note_path(self, path: Path, following: list[tuple[int, State]]) -> None:
        """Remember the merge points that some path has come to."""
        self.visited += len(path.absorbed)
        reached = {target for target, _ in following}.union(path.absorbed)
        self.met |= reached & self.facts.merges

    def _ends(self) -> frozenset[int]:
        """Where a path ends although it could go on.

        In small functions a path goes on behind the point where it meets others, for larger
        regions; in large ones too much would be traced again for each path.
        """
        heads = self.facts.heads
        small = self.visited + len(self.facts.body.units) < PATIENCE
        return heads if small else heads | self.met

    def trace(
        self, start: int, state: State, trim: bool = True, ends: frozenset[int] | None = None
    ) -> Trace:
        """The path from `start`, without the part before its work that CPython does as well."""
        ends = self._ends() if ends is None else ends
        trace = self._traced(start, state, ends)
        floor = self._place_copy(trace)
        place = _first_needed(trace, self.facts.body, floor) if trim and trace.worthwhile else 0
        if not place:
            return trace
        trimmed = self._traced(trace.visits[place].unit, trace.state_before(place), ends)
        self._place_copy(trimmed)
        if not trimmed.worthwhile or trimmed.end != trace.end:
            return trace
        trimmed.stop, trimmed.walked = trace.stop, trace.walked
        trimmed.global_kinds = trace.global_kinds
        return trimmed

    def _traced(self, start: int, state: State, ends: frozenset[int]) -> Trace:
        body, namespace = self.facts.body, self.namespace
        return trace_region(body, namespace, start, state, ends, self.varying, self.globals)

    def _place_copy(self, trace: Trace) -> int:
        """Let a call that is not inlined go to the callee's copy; the slot of the callee."""
        stop = trace.stop
        stack = trace.frame.stack
        if not isinstance(stop, NotInlined):
            return len(stack)
        trace.callee = stop.callee.expected
        low = lowest_slot(self.facts.body.units[trace.end], len(stack))
        for place, value in enumerate(stack[low : low + 2], low):  # the call's two callable slots
            bound = value.self if isinstance(value, BoundFunction) else None
            callee = value.function if isinstance(value, BoundFunction) else value
            if isinstance(callee, Outside) and callee.source == stop.callee.source:
                mark = trace.region.checkpoint()
                try:
                    optimised_copy = copy_for(self.copies, self.namespace, trace.region, callee)
                except TooLarge:
                    trace.region.rollback(mark)
                    break
                if optimised_copy is not None:
                    trace.has_copy = True
                    stack[place] = CallableWithCopy(callee, optimised_copy, bound)
                    return place - 1 if place else 0
        return len(stack)

    def plan(self, trace: Trace) -> RegionPlan | None:
        """The region of `trace`, if it is worth a call."""
        if not trace.worthwhile:
            return None
        works, facts = self._may_pay(trace), self.facts
        if not works and trace.region.copy_of is None:
            self.left_alone[trace.start] = LeftAlone(*self._lines(trace), trace.region.graph)
            return None
        try:
            layout = lay_out(trace, facts.body, facts.live[trace.end], facts.observed)
        except Break as found:
            if found.reason is REGION_FULL:
                trace.stop = found.bare()
            return None
        trace.region.seal()
        ends_at = _end_of_original(trace) if works else None
        return RegionPlan(layout, trace.region, trace.state, *self._lines(trace), works, ends_at)

    def _may_pay(self, trace: Trace) -> bool:
        """Whether there is work that may be worth a call; without measuring, any work is."""
        if not trace.region.does_work():
            return False
        return not config.measure or may_win(trace.region)

    def _lines(self, trace: Trace) -> tuple[int, int]:
        """The first and the last of the user's lines on a path."""
        units = self.facts.body.units
        lines = [units[visit.unit].location.line for visit in trace.visits]
        known = [line for line in lines if line is not None] or [0]
        return min(known), max(known)

    def _note_break(self, path: Path) -> None:
        stop = path.stop
        if (
            not isinstance(stop, Break)
            or path.end in self.breaks
            or stop.reason is EXCEPTION_HANDLING
        ):
            return
        if stop.reason in (BRANCH_ON_DATA, MAYBE_UNBOUND) and not path.worthwhile:
            return
        place = self.facts.body.units[path.end].location
        line = place.line
        same = (place, stop.reason.code, stop.detail)
        if line is None or self._ends_with(line, stop.reason):
            return
        if stop.reason is UNKNOWN_CALLEE and not stop.detail and self._was_read_at(place):
            return
        if same not in self.told:
            found = FoundBreak(path.end, line, place, stop.reason, stop.detail)
            self.told.add(same)
            self.breaks[path.end] = found
            self.breaks_at.setdefault(line, []).append(found)

    def _was_read_at(self, call: Location) -> bool:
        """Whether the callee is unknown since a break, told already, gave it."""
        told = self.breaks_at.get(call.line or 0, ())
        return any(b.place != call and b.place.column == call.column for b in told)

    def _ends_with(self, line: int, reason: BreakReason) -> bool:
        """Whether this is the call of `__exit__`, or the test of its answer, of a `with` there."""
        if reason not in (UNKNOWN_CALLEE, UNKNOWN_VALUE, CONTEXT_MANAGER):
            return False
        told = [found.reason for found in self.breaks_at.get(line, ())]
        if reason is UNKNOWN_CALLEE and RAISE in told:
            return True  # the class of an assert's error
        return CONTEXT_MANAGER in told

    # what comes after ---------------------------------------------------------------------------

    def _following(self, path: Path) -> list[tuple[int, State]]:
        state = path.after
        if path.stop is None or path.is_full:
            return [(path.end, state)]
        unit = self.facts.body.units[path.end]
        targets = successors(self.facts.body, path.end)
        found = []
        for results in self._results(unit, path.stop.result):
            fallen = state_after(state, unit, results)
            for place, target in enumerate(targets):
                found.append((target, _jumped(unit, state, fallen) if place else fallen))
        return found

    def _results(self, unit: Unit, foreseen: Kind) -> list[Results]:
        """The kinds that `unit` pushes: from the profile, foreseen, or to be recorded."""
        if unit.index in self.profile:
            return self.profile[unit.index]
        if type(foreseen) is not Kind and all(type(k) is not Kind for k in kinds.leaves(foreseen)):
            return [(foreseen,)]
        self._ask(unit)
        return [()] if type(foreseen) is Kind else [(foreseen,)]

    def _ask(self, unit: Unit) -> None:
        found = recorder_of(self.facts, unit)
        if found is not None:
            self.recorders[unit.index] = found

    def _handlers(self, trace: Trace) -> list[tuple[int, State]]:
        """Exception handlers that cover the path are entries too."""
        found: dict[int, State] = {}
        units = self.facts.body.units
        stacks = trace.stacks() if self.facts.body.ranges else ()
        for index, stack in stacks:
            unit = units[index]
            if unit.handler is not None and unit.handler not in found:
                raised = (kinds.UNKNOWN,) * (1 + unit.handler_lasti)
                kept = stack_kinds(stack)[: unit.handler_depth]
                found[unit.handler] = State(trace.state.slots, kept + raised)
        return list(found.items())


def recorder_of(facts: CodeFacts, unit: Unit) -> Recorder | None:
    """Where the values that `unit` pushes can be seen; None if they cannot, or need not be."""
    following = successors(facts.body, unit.index)
    values = pushed_values(unit)
    if not following or not 0 < len(values) <= MAX_RECORDED:
        return None
    step = unit.micro[-1]
    if step.name in _NOT_RECORDED or (step.name == "BREAK" and len(values) > 1):
        return None
    at = following[0]
    steps, depth = facts.body.units[at].micro, facts.depths[at]
    if (steps and steps[0].name == "POP_TOP") or depth is None or depth < values[0]:
        return None
    return Recorder(at, unit.index, values)


def _end_of_original(trace: Trace) -> int | None:
    """Where the path ends without a jump, or the jump that ends it.

    None if a callee is replaced by its optimised copy: what is gained there comes behind the path.
    """
    if trace.region.copy_of is not None:
        return None
    path = [visit.unit for visit in trace.visits]
    if path and trace.end == path[-1] + 1:
        return trace.end
    return path[-1] if len(path) > 1 and path[-2] == path[-1] - 1 else None


def _jumped(unit: Unit, before: State, fallen: State) -> State:
    """The state where a conditional jump leads."""
    name = unit.micro[-1].name
    if name == "FOR_ITER":
        return State(fallen.slots, fallen.stack[:-2])
    return before if name == "JUMP_IF_OR_POP" else fallen


def _first_needed(trace: Trace, body: Body, floor: int) -> int:
    """The last visit that everything from the first work on can start from.

    A branch that kinds decided stays inside: with other kinds the region is to be traced again.
    """
    visits = trace.visits
    first_work = len(visits) - 1
    while first_work > 0 and visits[first_work].worked:
        first_work -= 1
    low = floor
    for visit in visits[first_work:]:
        low = min(low, visit.low)
    branches = [place for place in range(first_work) if is_branch(body.units[visits[place].unit])]
    latest = branches[0] if branches else first_work
    for place in range(first_work, 0, -1):
        low = min(low, visits[place].low)
        if place <= latest and visits[place].depth <= low and not visits[place].worked:
            return place
    return 0


def is_branch(unit: Unit) -> bool:
    return bool(unit.micro) and unit.micro[-1].name in ("POP_JUMP_IF", "JUMP_IF_OR_POP")
