"""The interpreter: runs units symbolically until one cannot be absorbed.

`trace_region` follows one path from a unit through everything that constants and guarded kinds
decide, and says where and why it ended. Invariant: an instruction is absorbed whole or not at all.
Read `trace.regions.flush` next.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import islice
from typing import Any

from dyntrace.asm.flow import effect
from dyntrace.asm.instructions import Body, MicroOp, Unit
from dyntrace.breaks import REGION_FULL
from dyntrace.graph.kinds import Kind
from dyntrace.ops.registry import Refused
from dyntrace.record import field, record
from dyntrace.trace import opcodes
from dyntrace.trace.frame import Break, Flush, Frame
from dyntrace.trace.globals import GlobalKinds, Globals
from dyntrace.trace.regions.builder import RegionBuilder, TooLarge, Varying
from dyntrace.trace.semantics.protocol import VIEW
from dyntrace.trace.sources import Local
from dyntrace.trace.state import State, snapshot_of, stack_values
from dyntrace.trace.values.base import Computed, Outside, Value

__all__ = ["Trace", "trace_region"]


@record()
class Visit:
    """One absorbed unit: what of the stack and of the stores came before it, and what it left.

    depth   of the stack before it, which it leaves alone below slot `low`
    left    the stack from slot `low` on behind it
    stores  how many stores to slots came before it
    worked  whether work came earlier
    """

    unit: int
    depth: int
    low: int
    stack_after: list[Value]
    stores: int
    worked: bool


@record()
class Trace:
    """One path from `start`; `end` is the unit that was not absorbed, for the reason in `stop`.

    Without a `stop` the path ends at a loop head, where paths meet, or right behind an effect.
    `walked` are its units, `notes` the globals it met, also where a part before the first work has
    been left off. `callee` is the function whose call ends it; `has_copy` tells whether its
    optimised copy is called.
    """

    start: int
    state: State
    end: int
    frame: Frame
    initial: list[Value]
    stop: Flush | None = None
    worked: bool = False
    visits: list[Visit] = field(default_factory=list)
    walked: tuple[int, ...] = ()
    global_kinds: GlobalKinds = field(default_factory=dict)
    callee: Kind | None = None
    has_copy: bool = False

    @property
    def region(self) -> RegionBuilder:
        return self.frame.region

    @property
    def worthwhile(self) -> bool:
        """Whether the region does array work, or replaces a callee by its optimised copy."""
        return self.worked or self.region.copy_of is not None or self.region.does_work()

    def stacks(self) -> Iterator[tuple[int, list[Value]]]:
        """Each unit on the path, the last not absorbed, and the stack before it, as long as it
        is looked at."""
        stack = list(self.initial)
        for visit in self.visits:
            yield visit.unit, stack
            stack[visit.low :] = visit.stack_after
        yield self.end, self.frame.stack

    def state_before(self, index: int) -> State:
        """The state before `visits[index]`."""
        _, stack = next(islice(self.stacks(), index, None))
        slots = self.frame.slots_before(self.visits[index].stores)
        return snapshot_of(self.frame.expected_kinds, slots, stack)


def trace_region(
    body: Body,
    namespace: dict[str, object],
    start: int,
    state: State,
    ends: frozenset[int],
    varying: Varying = frozenset(),
    globals: Globals | None = None,
) -> Trace:
    """Trace from `start` until one of `ends` or the first unit that is not absorbed."""
    known = frozenset(source for at, source in varying if at is None or at == start)
    region = RegionBuilder(body.code, known, globals)
    frame = Frame(region, body, namespace, expected_kinds=state.slots)
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
    trace.walked = tuple(visit.unit for visit in trace.visits)
    trace.global_kinds = region.global_kinds
    return trace


def _advance(trace: Trace) -> Flush | None:
    """Absorb the unit at `trace.end`; what stopped it if it cannot be."""
    frame = trace.frame
    region, stack = frame.region, frame.stack
    mark, depth, stores = region.checkpoint(), len(stack), len(frame.stores)
    nodes = len(region.graph.nodes)
    unit = frame.body.units[trace.end]
    low = lowest_slot(unit, depth)
    touched = stack[low:]
    try:
        following = opcodes.step(frame, unit)
    except TooLarge:
        stop: Flush = Break(REGION_FULL)
    except Flush as found:
        stop = found.bare()
    except Refused as refusal:
        stop = Break(refusal.reason, refusal.detail)
    else:
        trace.visits.append(Visit(unit.index, depth, low, stack[low:], stores, trace.worked))
        trace.end = following
        if not trace.worked:
            trace.worked = region.copy_of is not None or region.does_work(nodes)
        return None
    region.rollback(mark)
    stack[low:] = touched
    frame.undo_stores(stores)
    return stop


def lowest_slot(unit: Unit, depth: int) -> int:
    """The lowest stack slot that `unit` touches, run at `depth`."""
    if len(unit.micro) == 1:
        step = unit.micro[0]
        return depth - (step.arg if step.name in ("COPY", "SWAP") else effect(step)[0])
    low = depth
    for step in unit.micro:
        pops, pushes = effect(step)
        reach = step.arg if step.name in ("COPY", "SWAP") else pops
        low = min(low, depth - reach)
        depth += pushes - pops
    return low


def _store_effect(trace: Trace) -> None:
    """`x += y` stores its target back where it came from: that too belongs to the effect."""
    frame, region = trace.frame, trace.region
    saved = (
        trace.end,
        list(frame.stack),
        len(trace.visits),
        region.checkpoint(),
        len(frame.stores),
    )
    for _ in range(MAX_STORE_UNITS):
        unit = frame.body.units[trace.end]
        step = unit.micro[0] if len(unit.micro) == 1 else None
        if step is None or step.name not in _STORES:
            break
        if not _is_own_store(frame, step):
            break
        depth, stores = len(frame.stack), len(frame.stores)
        visit = Visit(unit.index, depth, lowest_slot(unit, depth), [], stores, True)
        trace.visits.append(visit)
        if step.name in ("STORE_SUBSCR", "STORE_SLICE"):
            frame.pop_many(effect(step)[0])
            trace.end += 1
            return
        trace.end = opcodes.step(frame, unit)
        visit.stack_after = frame.stack[visit.low :]
        if step.name != "SWAP":
            return
    trace.end, frame.stack, count, mark, stores = saved
    del trace.visits[count:]
    frame.undo_stores(stores)
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
    if not isinstance(view, Computed) or not isinstance(container, (Computed, Outside)):
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
