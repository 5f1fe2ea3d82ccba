"""The interpreter: runs units symbolically until one cannot be absorbed.

`trace_region` follows one path from a unit through everything that constants and guarded kinds
decide, and says where and why it ended. Invariant: an instruction is absorbed whole or not at all.
Read `trace.flush` next.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

from dyntrace.asm.flow import effect
from dyntrace.asm.instructions import Body, MicroOp, Unit
from dyntrace.breaks import REGION_FULL
from dyntrace.ops.registry import Refused
from dyntrace.record import field, record
from dyntrace.trace import opcodes
from dyntrace.trace.frame import Break, Flush, Frame
from dyntrace.trace.protocol import VIEW
from dyntrace.trace.region import RegionBuilder, TooLarge, Varying
from dyntrace.trace.sources import Local
from dyntrace.trace.state import State, snapshot_of, stack_values
from dyntrace.trace.values.base import Dynamic, Outside, Value

__all__ = ["Trace", "trace_region"]


@record()
class Visit:
    """One absorbed unit: the stack before it, its lowest slot, whether work came earlier."""

    unit: int
    stack: list[Value]
    low: int
    worked: bool
    before: Callable[[], State]

    @property
    def depth(self) -> int:
        return len(self.stack)


@record()
class Trace:
    """One path from `start`; `end` is the unit that was not absorbed, for the reason in `stop`.

    Without a `stop` the path ends at a loop head, where paths meet, or right behind an effect.
    """

    start: int
    state: State
    end: int
    frame: Frame
    initial: list[Value]
    stop: Flush | None = None
    worked: bool = False
    visits: list[Visit] = field(default_factory=list)

    @property
    def region(self) -> RegionBuilder:
        return self.frame.region

    @property
    def worthwhile(self) -> bool:
        """Whether the region does array work, or replaces a callee by its twin."""
        return self.region.twin_of is not None or self.region.does_work()


def trace_region(
    body: Body,
    namespace: dict[str, object],
    start: int,
    state: State,
    ends: frozenset[int],
    varying: Varying = frozenset(),
) -> Trace:
    """Trace from `start` until one of `ends` or the first unit that is not absorbed."""
    known = frozenset(source for at, source in varying if at is None or at == start)
    region = RegionBuilder(body.code, known)
    frame = Frame(region, body, namespace, beliefs=dict(state.slots))
    frame.stack = stack_values(state)
    trace = Trace(start, state, start, frame, list(frame.stack))
    while not (trace.end in ends and (trace.end != start or trace.visits)):
        stop = _advance(trace)
        if stop is not None:
            trace.stop = stop
            break
        if region.graph.effect is not None:
            _store_effect(trace)
            break
    return trace


def _advance(trace: Trace) -> Flush | None:
    """Absorb the unit at `trace.end`; what stopped it if it cannot be."""
    frame, region = trace.frame, trace.region
    mark, stack, slots = region.mark(), list(frame.stack), dict(frame.slots)
    unit = frame.body.units[trace.end]
    before = _nothing if trace.worked else partial(snapshot_of, frame.beliefs, slots, stack)
    visit = Visit(trace.end, stack, lowest(unit, len(stack)), trace.worked, before)
    try:
        following = opcodes.step(frame, unit)
    except TooLarge:
        stop: Flush = Break(REGION_FULL)
    except Flush as found:
        stop = found.bare()
    except Refused as refusal:
        stop = Break(refusal.reason, refusal.detail)
    else:
        trace.visits.append(visit)
        trace.end = following
        trace.worked = trace.worked or trace.worthwhile
        return None
    region.rollback(mark)
    frame.stack, frame.slots = stack, slots
    return stop


def lowest(unit: Unit, depth: int) -> int:
    """The lowest stack slot that `unit` touches, run at `depth`."""
    low = depth
    for step in unit.micro:
        pops, pushes = effect(step)
        reach = step.arg if step.name in ("COPY", "SWAP") else pops
        low = min(low, depth - reach)
        depth += pushes - pops
    return low


def _nothing() -> State:
    raise AssertionError("a region never starts behind its first operation")


def _store_effect(trace: Trace) -> None:
    """`x += y` stores its target back where it came from: that too belongs to the effect."""
    frame, region = trace.frame, trace.region
    saved = (trace.end, list(frame.stack), dict(frame.slots), len(trace.visits), region.mark())
    for _ in range(MAX_STORE_UNITS):
        unit = frame.body.units[trace.end]
        step = unit.micro[0] if len(unit.micro) == 1 else None
        if step is None or step.name not in _STORES:
            break
        if not _is_own_store(frame, step):
            break
        stack = list(frame.stack)
        trace.visits.append(Visit(trace.end, stack, lowest(unit, len(stack)), True, _nothing))
        if step.name in ("STORE_SUBSCR", "STORE_SLICE"):
            frame.pop_many(effect(step)[0])
            trace.end += 1
            return
        trace.end = opcodes.step(frame, unit)
        if step.name != "SWAP":
            return
    trace.end, frame.stack, frame.slots, count, mark = saved
    del trace.visits[count:]
    region.rollback(mark)


def _is_own_store(frame: Frame, step: MicroOp) -> bool:
    """Whether a store after an effect only puts the target back where it is already."""
    try:
        return _STORES[step.name](frame, step.arg)
    except (Break, TooLarge):
        return False


def _stores_item(frame: Frame, arg: object) -> bool:
    """`a[i] += b` ends with `a[i] = view`, where `view` is `a[i]` itself: nothing is left to do."""
    view, container, index = frame.stack[-3:]
    return _is_same_item(frame, view, container, frame.argument(index))


def _stores_slice(frame: Frame, arg: object) -> bool:
    view, container, start, stop = frame.stack[-4:]
    index = slice(frame.argument(start), frame.argument(stop), None)
    return _is_same_item(frame, view, container, index)


def _is_same_item(frame: Frame, view: Value, container: Value, index: object) -> bool:
    if not isinstance(view, Dynamic) or not isinstance(container, Dynamic | Outside):
        return False
    node = view.node
    if node.op is not VIEW:
        return False
    return node.args[0] is frame.argument(container) and same_argument(node.args[1], index)


def same_argument(one: object, other: object) -> bool:
    """Whether two graph arguments are the same nodes and constants throughout."""
    if type(one) is not type(other):
        return False
    if isinstance(one, slice) and isinstance(other, slice):
        parts = (one.start, one.stop, one.step), (other.start, other.stop, other.step)
        return all(map(same_argument, *parts))
    if isinstance(one, tuple) and isinstance(other, tuple):
        return len(one) == len(other) and all(map(same_argument, one, other))
    return one is other or (type(one) is int and one == other)


def _stores_local(frame: Frame, index: int) -> bool:
    return bool(frame.stack) and _is_local(frame.stack[-1], index, frame)


MAX_STORE_UNITS = 4
_STORES: dict[str, Callable[[Frame, Any], bool]] = {
    "SWAP": lambda frame, arg: True,
    "POP_TOP": lambda frame, arg: bool(frame.stack),
    "STORE_FAST": _stores_local,
    "STORE_SUBSCR": _stores_item,
    "STORE_SLICE": _stores_slice,
}


def _is_local(value: Value, index: int, frame: Frame) -> bool:
    held = frame.slots.get(index)
    return (
        isinstance(value, Outside)
        and value.source == Local(index)
        and (held is None or held is value)
    )
