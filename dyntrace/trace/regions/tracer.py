"""RegionTracer: from a unit and a state to a trace, and from a trace to a region plan.

A trace may be cut at its head: what CPython does as well as a region stays outside. A call that is
not inlined may go to the callee's optimised copy. Invariant: a plan guards everything it assumes.
Read `trace.interpreter` for the trace itself, `trace.regions.flush` for the layout.
"""

from __future__ import annotations

from typing import Any

from dyntrace import config
from dyntrace.asm.instructions import Body, Unit
from dyntrace.breaks import REGION_FULL
from dyntrace.record import field, record
from dyntrace.trace.code_facts import CodeFacts
from dyntrace.trace.frame import Break
from dyntrace.trace.globals import Globals
from dyntrace.trace.interpreter import Trace, lowest_slot, trace_region
from dyntrace.trace.regions.builder import TooLarge, Varying
from dyntrace.trace.regions.flush import lay_out
from dyntrace.trace.regions.paths import RegionPlan
from dyntrace.trace.regions.worth import LeftAlone, may_win
from dyntrace.trace.semantics.inline import NotInlined
from dyntrace.trace.semantics.optimised_copies import Copies, copy_for
from dyntrace.trace.state import State
from dyntrace.trace.values.base import Outside
from dyntrace.trace.values.callables import BoundFunction, CallableWithCopy

__all__ = ["RegionTracer"]


@record()
class RegionTracer:
    """Traces regions of one code object.

    facts       the code object's
    namespace   its globals
    copies      the optimised copies of callees
    varying     the sources whose values change from call to call, so that none is read
    globals     the names looked up so far
    """

    facts: CodeFacts
    namespace: dict[str, Any]
    copies: Copies
    varying: Varying = frozenset()
    globals: Globals = field(default_factory=Globals)

    def trace(self, start: int, state: State, ends: frozenset[int], trim: bool = True) -> Trace:
        """Trace the path from `start` to a break or to one of the units `ends`.

        `trim` leaves out the head of the path before its first work, where a region gains nothing.
        """
        trace = self._trace_once(start, state, ends)
        floor = self._use_copy(trace)
        head = _first_needed(trace, self.facts.body, floor) if trim and trace.worthwhile else 0
        if not head:
            return trace
        trimmed = self._trace_once(trace.visits[head].unit, trace.state_before(head), ends)
        self._use_copy(trimmed)
        if not trimmed.worthwhile or trimmed.end != trace.end:
            return trace
        trimmed.stop, trimmed.walked = trace.stop, trace.walked
        trimmed.global_kinds = trace.global_kinds
        return trimmed

    def _trace_once(self, start: int, state: State, ends: frozenset[int]) -> Trace:
        body, namespace = self.facts.body, self.namespace
        return trace_region(body, namespace, start, state, ends, self.varying, self.globals)

    def _use_copy(self, trace: Trace) -> int:
        """Let the call that ends `trace` go to the callee's optimised copy, if there is one.

        Returns the depth of the stack below the callee: a region that passes the copy needs all
        from there on.
        """
        stop = trace.stop
        stack = trace.frame.stack
        if not isinstance(stop, NotInlined):
            return len(stack)
        trace.callee = stop.callee.expected
        low = lowest_slot(self.facts.body.units[trace.end], len(stack))
        for position, value in enumerate(stack[low : low + 2], low):  # the call's callable slots
            bound = value.self if isinstance(value, BoundFunction) else None
            callee = value.function if isinstance(value, BoundFunction) else value
            if isinstance(callee, Outside) and callee.source == stop.callee.source:
                checkpoint = trace.region.checkpoint()
                try:
                    optimised_copy = copy_for(self.copies, self.namespace, trace.region, callee)
                except TooLarge:
                    trace.region.rollback(checkpoint)
                    break
                if optimised_copy is not None:
                    trace.has_copy = True
                    stack[position] = CallableWithCopy(callee, optimised_copy, bound)
                    return position - 1 if position else 0
        return len(stack)

    def plan(self, trace: Trace) -> RegionPlan | LeftAlone | None:
        """The region of `trace`; LeftAlone if a call of it would cost more than it saves.

        None if there is no work in the trace, or no layout for it.
        """
        if not trace.worthwhile:
            return None
        works, facts = _may_pay(trace), self.facts
        if not works and trace.region.copy_of is None:
            return LeftAlone(*self._lines(trace), trace.region.graph)
        try:
            layout = lay_out(trace, facts.body, facts.live[trace.end], facts.observed)
        except Break as found:
            if found.reason is REGION_FULL:
                trace.stop = found.without_traceback()
            return None
        trace.region.drop_tracing_state()
        ends_at = _end_of_original(trace) if works else None
        return RegionPlan(layout, trace.region, trace.state, *self._lines(trace), works, ends_at)

    def _lines(self, trace: Trace) -> tuple[int, int]:
        """The first and the last of the user's lines on a path."""
        units = self.facts.body.units
        lines = [units[visit.unit].location.line for visit in trace.visits]
        known = [line for line in lines if line is not None] or [0]
        return min(known), max(known)


def _may_pay(trace: Trace) -> bool:
    """Whether the region has work that may be worth a call; without measuring, any work is."""
    if not trace.region.does_work():
        return False
    return not config.measure or may_win(trace.region)


def _end_of_original(trace: Trace) -> int | None:
    """The unit that follows the original instructions of a region, where a clock can be read.

    The path has to lead there without a jump, or by one jump at its end. None if a callee is
    replaced by its optimised copy: that copy gains its time behind the path.
    """
    if trace.region.copy_of is not None:
        return None
    path = [visit.unit for visit in trace.visits]
    if path and trace.end == path[-1] + 1:
        return trace.end
    return path[-1] if len(path) > 1 and path[-2] == path[-1] - 1 else None


def _first_needed(trace: Trace, body: Body, floor: int) -> int:
    """The last visit that a region with all the work of `trace` can start from.

    A branch that kinds have decided stays inside: for other kinds the region is traced again.
    """
    visits = trace.visits
    first_work = len(visits) - 1
    while first_work > 0 and visits[first_work].has_work:
        first_work -= 1
    low = floor
    for visit in visits[first_work:]:
        low = min(low, visit.low)
    branches = [index for index in range(first_work) if _is_branch(body.units[visits[index].unit])]
    latest = branches[0] if branches else first_work
    for index in range(first_work, 0, -1):
        low = min(low, visits[index].low)
        if index <= latest and visits[index].depth <= low and not visits[index].has_work:
            return index
    return 0


def _is_branch(unit: Unit) -> bool:
    return bool(unit.micro) and unit.micro[-1].name in ("POP_JUMP_IF", "JUMP_IF_OR_POP")
