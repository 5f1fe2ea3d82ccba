"""The symbolic interpreter: it runs units on symbolic values until one cannot be absorbed.

`trace_region` follows one path from a unit. Constants and guarded kinds decide which way a branch
goes; one that they do not decide ends the path. Invariant: a unit is absorbed as a whole or not at
all. Read `trace.stepping` for the opcode handlers, `trace.regions.flush` for a region's end.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from itertools import islice
from types import MappingProxyType
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
    """One absorbed unit, and what it takes to restore the frame as it was before it.

    depth        the depth of the stack before the unit
    low          the lowest stack slot that the unit touched
    stack_after  the stack after the unit, from slot `low` on
    stores       the number of stores to slots before the unit
    has_work     whether array work came before the unit
    """

    unit: int
    depth: int
    low: int
    stack_after: list[Value]
    stores: int
    has_work: bool


@record()
class Trace:
    """One path, from unit `start` in `state` to unit `end`, which it does not absorb.

    stop          why `end` was not absorbed; None if the path ends at a loop head, where paths
                  meet, or right behind an effect
    initial       the symbolic stack at the start
    has_work      whether the path has array work
    visits        the units of the region
    walked        the units of the path, with those before the region's first work
    global_kinds  the global names that the path looked up, with their kinds
    callee        the function whose call ends the path, and is not inlined
    has_copy      whether that call goes to the function's optimised copy
    """

    start: int
    state: State
    end: int
    frame: Frame
    initial: list[Value]
    stop: Flush | None = None
    has_work: bool = False
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
        return self.has_work or self.region.copy_of is not None or self.region.does_work()

    def stacks(self) -> Iterator[tuple[int, list[Value]]]:
        """Each unit on the path, then `end`, with the stack before it.

        All stacks are one list object, so a stack is valid only until the next is asked for.
        """
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
    """Trace from `start` to one of `ends`, or to the first unit that cannot be absorbed.

    `varying` has the sources whose values must not be guarded, since they have had many.
    """
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
    """Absorb the unit at `trace.end`, or return why that is not possible."""
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
        stop = found.without_traceback()
    except Refused as refusal:
        stop = Break(refusal.reason, refusal.detail)
    else:
        trace.visits.append(Visit(unit.index, depth, low, stack[low:], stores, trace.has_work))
        trace.end = following
        if not trace.has_work:
            trace.has_work = region.copy_of is not None or region.does_work(nodes)
        return None
    region.rollback(mark)
    stack[low:] = touched
    frame.undo_stores(stores)
    return stop


def lowest_slot(unit: Unit, depth: int) -> int:
    """The lowest stack slot that `unit` touches if the stack is `depth` deep before it."""
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
    """Absorb the store that ends `x += y`, if it only puts the target back where it came from."""
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
    """Whether a store after an effect only puts the target back where it is."""
    try:
        return _STORES[step.name](frame, step.arg)
    except (Break, TooLarge):
        return False


def _stores_item(frame: Frame, arg: object) -> bool:
    """Whether the store is the `a[i] = view` of `a[i] += b`, which writes `view` onto itself."""
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
    """Whether two arguments consist of the same nodes and constants."""
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
_STORES: Mapping[str, Callable[[Frame, Any], bool]] = MappingProxyType(
    {
        "SWAP": lambda frame, arg: True,
        "POP_TOP": lambda frame, arg: bool(frame.stack),
        "STORE_FAST": _stores_local,
        "STORE_SUBSCR": _stores_item,
        "STORE_SLICE": _stores_slice,
    }
)


def _is_local(value: Value, index: int, frame: Frame) -> bool:
    held = frame.slots.get(index)
    return (
        isinstance(value, Outside)
        and value.source == Local(index)
        and (held is None or held is value)
    )
