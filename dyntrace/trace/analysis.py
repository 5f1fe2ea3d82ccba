"""Analysis: from a function's entry through everything reachable, region by region.

Starting from the kinds of the arguments, each path is traced to its end. The instruction that
stopped it is stepped over as CPython runs it, and the next trace begins behind it. The kinds that a
native instruction pushes come from the profile of earlier runs; where the profile is silent, a
recorder is asked for. Invariant: a plan guards all it assumes, so an analysis can be incomplete but
not wrong. Read `trace.regions.tracer` for one path, `compile` for what happens to the plans.
"""

from __future__ import annotations

import itertools
from collections.abc import Mapping

from dyntrace.asm.flow import successors
from dyntrace.asm.instructions import Unit
from dyntrace.graph import kinds
from dyntrace.graph.kinds import Kind
from dyntrace.record import field, record
from dyntrace.trace.code_facts import CodeFacts
from dyntrace.trace.found_breaks import FoundBreaks
from dyntrace.trace.interpreter import Trace
from dyntrace.trace.regions.paths import Path, RegionPlan, path_of
from dyntrace.trace.regions.tracer import RegionTracer
from dyntrace.trace.regions.worth import LeftAlone
from dyntrace.trace.semantics.optimised_copies import has_copy
from dyntrace.trace.state import State, pushed_values, stack_kinds, state_after

__all__ = ["Analysis", "Paths", "Profile", "Recorder", "Start", "explore", "recorder_of"]

MAX_STATES = 4
MAX_TRACES = 600
PATIENCE = 1500  # units traced, and still to be traced, before paths end where they meet others
MAX_RECORDED = 256
_NOT_RECORDED = frozenset({"MAKE_FUNCTION", "GET_ITER"})

Start = tuple[int, State]
Results = tuple[Kind, ...]
Profile = Mapping[int, list[Results]]
Paths = Mapping[int, list[Path]]


@record(frozen=True)
class Recorder:
    """A place to learn kinds: before unit `at`, the values that unit `point` pushed.

    `values` are their depths, as in `trace.state.pushed_values`.
    """

    at: int
    point: int
    values: tuple[int, ...]


def explore(
    tracer: RegionTracer, starts: list[Start], profile: Profile, earlier: Paths
) -> Analysis:
    """Explore everything reachable from `starts`.

    `profile` has the kinds that units were seen to push, `earlier` the paths of the analysis
    before: those that would come out the same are not traced again.
    """
    analysis = Analysis(tracer, profile, earlier, FoundBreaks(tracer.facts.body))
    analysis.run(starts)
    return analysis


@record()
class Analysis:
    """One analysis, and what it found.

    paths       by unit, every path that begins there
    plans       by unit, the regions to weave in
    recorders   by unit, where kinds are still to be learnt
    left_alone  by unit, work that is not worth a region
    """

    tracer: RegionTracer
    profile: Profile
    earlier: Paths
    breaks: FoundBreaks
    paths: dict[int, list[Path]] = field(default_factory=dict)
    plans: dict[int, list[RegionPlan]] = field(default_factory=dict)
    recorders: dict[int, Recorder] = field(default_factory=dict)
    left_alone: dict[int, LeftAlone] = field(default_factory=dict)
    explored: dict[int, list[State]] = field(default_factory=dict)
    absorbed: set[int] = field(default_factory=set)
    traces: int = 0
    visited: int = 0
    met: set[int] = field(default_factory=set)

    @property
    def facts(self) -> CodeFacts:
        return self.tracer.facts

    def run(self, starts: list[Start]) -> None:
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
            self.breaks.add_too_many_paths(start)
        self.breaks.drop_unknown_values(self.absorbed)

    def finds_work(self) -> bool:
        """Whether a plan has array work of its own, not just a call of an optimised copy."""
        return any(plan.works for plans in self.plans.values() for plan in plans)

    def _fitted(self, start: int, state: State) -> State:
        """`state` with the live slots at `start` only, and a stack as deep as it is there."""
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

    def _explore(self, start: int, state: State) -> list[Start]:
        """Trace one path; where to go on from there."""
        self.traces += 1
        path = self._earlier_path(start, state) or self._new_path(start, state)
        self.paths.setdefault(start, []).append(path)
        if path.plan is not None:
            self.plans.setdefault(path.plan.layout.start, []).append(path.plan)
            self.absorbed.update(path.absorbed)
        if path.left_alone is not None:
            self.left_alone.setdefault(*path.left_alone)
        self.breaks.add_from(path)
        following = self._following(path)
        self._note_merges(path, following)
        return [*following, *path.handlers]

    def _earlier_path(self, start: int, state: State) -> Path | None:
        """What an earlier analysis found from here, if this one would find the same."""
        tracer = self.tracer
        for path in self.earlier.get(start, ()):
            if (
                path.state.is_same(state)
                and path.ends_by(self._ends())
                and tracer.globals.still_hold(path.global_kinds, tracer.namespace)
                and (
                    path.callee is None
                    or path.has_copy is has_copy(tracer.copies, tracer.namespace, path.callee)
                )
            ):
                return path
        return None

    def _new_path(self, start: int, state: State) -> Path:
        trace = self.tracer.trace(start, state, self._ends())
        plan = self.tracer.plan(trace)
        handlers = self._handlers(trace)
        if isinstance(plan, LeftAlone):
            path = path_of(trace, start, state, handlers, None)
            path.left_alone = (trace.start, plan)
            self.left_alone[trace.start] = plan
            return path
        return path_of(trace, start, state, handlers, plan)

    def _note_merges(self, path: Path, following: list[Start]) -> None:
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

    # what comes after ---------------------------------------------------------------------------

    def _following(self, path: Path) -> list[Start]:
        """The units behind `path`, with the state in which each of them is reached."""
        state = path.after
        if path.stop is None or path.is_full:
            return [(path.end, state)]
        unit = self.facts.body.units[path.end]
        targets = successors(self.facts.body, path.end)
        found = []
        for results in self._results(unit, path.stop.result):
            fallen = state_after(state, unit, results)
            for number, target in enumerate(targets):
                found.append((target, _jumped(unit, state, fallen) if number else fallen))
        return found

    def _results(self, unit: Unit, foreseen: Kind) -> list[Results]:
        """The kinds that `unit` pushes: from the profile, foreseen, or to be recorded."""
        if unit.index in self.profile:
            return self.profile[unit.index]
        if type(foreseen) is not Kind and all(type(k) is not Kind for k in kinds.leaves(foreseen)):
            return [(foreseen,)]
        recorder = recorder_of(self.facts, unit)
        if recorder is not None:
            self.recorders[unit.index] = recorder
        return [()] if type(foreseen) is Kind else [(foreseen,)]

    def _handlers(self, trace: Trace) -> list[Start]:
        """The exception handlers that cover the path: control may come to them from it."""
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


def _jumped(unit: Unit, before: State, fallen: State) -> State:
    """The state where a conditional jump leads."""
    name = unit.micro[-1].name
    if name == "FOR_ITER":
        return State(fallen.slots, fallen.stack[:-2])
    return before if name == "JUMP_IF_OR_POP" else fallen
