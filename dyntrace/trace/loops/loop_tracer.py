"""LoopTracer: the iterations of a loop are interpreted symbolically, block by block.

Tracing starts at the head with the kinds at hand. A branch on data ends a block; each side is
traced once for each combination of kinds in which control comes to it, so kinds are definite.
Callees are traced like the body, with their branches and loops. What cannot be traced becomes a
stop: an iteration that comes there is undone, and CPython executes it from its start. Invariant:
tracing changes nothing and calls none of the user's code. Read `trace.loops.steering` for the
instructions that steer, `exec.kernels.loop_text` for the machine code.
"""

from __future__ import annotations

import operator
from collections.abc import Iterator, Mapping
from typing import Any

from dyntrace.asm.instructions import Unit
from dyntrace.breaks import (
    LOOP_ITERATOR,
    LOOP_KINDS,
    LOOP_LEFT,
    LOOP_STATE,
    LOOP_TOO_LARGE,
    LOOP_UNBOUND,
    LOOP_UNIT,
    MAYBE_UNBOUND,
)
from dyntrace.graph import kinds
from dyntrace.graph.kinds import ArrayKind, Kind
from dyntrace.graph.loop_graph import PARAMETER, Again, Carried, Goto, LoopBlock, LoopGraph, Stop
from dyntrace.graph.node import INPUT, Node
from dyntrace.ops.registry import Refused
from dyntrace.trace.frame import Break, Flush
from dyntrace.trace.loops import steering
from dyntrace.trace.loops.loop_frames import LoopBuilder, LoopFacts, LoopFrame
from dyntrace.trace.loops.outer import IteratorInput, iterator_of
from dyntrace.trace.loops.shapes import build, flatten, key_of, kinds_of, plain
from dyntrace.trace.loops.sites import LoopSite
from dyntrace.trace.loops.virtual import LaterItem, LoopIterator, LoopRangeIterator
from dyntrace.trace.regions.builder import TooLarge
from dyntrace.trace.sources import CellVariable, Contents, Local, StackItem
from dyntrace.trace.stepping import HANDLERS
from dyntrace.trace.values.base import Computed, Outside, Value
from dyntrace.trace.values.containers import TupleValue

__all__ = ["LoopTracer"]

MAX_BLOCKS = 400
MAX_CONSTANT_VERSIONS = 4  # of the blocks at a unit, before constants become values
MAX_VERSIONS = 12
_CARRIED_KINDS = (kinds.PythonScalarKind, kinds.NumpyScalarKind, ArrayKind)


class LoopTracer:
    """Traces one loop for the kinds of the values that its stub passed."""

    def __init__(
        self,
        code: LoopFacts,
        namespace: dict[str, Any],
        site: LoopSite,
        expected: Mapping[int, Kind],
        iterator: IteratorInput | None,
    ) -> None:
        self.code = code
        self.site = site
        self.builder = LoopBuilder(code.facts.body.code)
        self.builder.arguments = list(site.layout.arguments)
        self.outer = LoopFrame(
            self.builder, code.facts.body, namespace, expected_kinds=dict(expected)
        )
        self.outer.facts, self.outer.at = code, site.head
        self.outer.unbound = site.unbound
        self.blocks: list[LoopBlock] = []
        self.stops: list[Stop] = []
        self._made: dict[Any, LoopBlock] = {}
        self._versions: dict[Any, int] = {}
        self._waiting: list[tuple[LoopBlock, list[LoopFrame]]] = []
        self._iterator = iterator

    def trace(self) -> LoopGraph:
        """The loop; Break if it cannot have a region for these kinds."""
        if self.site.obstacle is not None:
            reason, detail, lineno = self.site.obstacle
            raise Break(reason, detail, lineno=lineno)
        head = self._new_block()
        self.loop = LoopGraph(self.builder.graph.inputs, head, self.blocks, [], stops=self.stops)
        self.builder.start_block(head.nodes)
        frame = self.outer.twin()
        self._carry(frame, head)
        self._take_iterator(frame, head)
        self._run(head, [frame])
        while self._waiting:
            block, frames = self._waiting.pop()
            self.builder.start_block(block.nodes)
            self._run(block, frames)
        if not any(isinstance(end, Again) for block in self.blocks for end in _ends(block.end)):
            raise self._never_comes_back()
        return self.loop

    def _never_comes_back(self) -> Break:
        """The break for a loop of which no iteration can be completed: the first stop's."""
        found = [stop for stop in self.stops if not stop.leaves] or self.stops
        if not found:
            return Break(LOOP_STATE)
        return Break(found[0].reason, found[0].detail, lineno=found[0].lineno)

    # the head -----------------------------------------------------------------------------------

    def _carry(self, frame: LoopFrame, head: LoopBlock) -> None:
        """Give the head a parameter for each slot that iterations hand on."""
        for slot in self.site.carried:
            if slot not in self.site.passed:
                self.loop.carried.append(Carried(slot, None, None, kinds.UNKNOWN))
                continue
            kind = plain(self.outer.expected_kinds.get(slot, kinds.UNKNOWN))
            if not isinstance(kind, _CARRIED_KINDS):
                raise Break(LOOP_STATE, frame.body.local_names[slot])
            cell = slot in frame.body.cells
            source = Contents(CellVariable(slot)) if cell else Local(slot)
            initial = self.builder.input(source, kind)
            parameter = self._parameter(head, kind)
            self.loop.carried.append(Carried(slot, parameter, initial, kind))
            frame.slots[slot] = Computed(parameter, temporary=False)

    def _parameter(self, block: LoopBlock, kind: Kind) -> Node:
        node = Node(PARAMETER, (len(block.parameters),), (), kind, self.outer.origin())
        block.parameters.append(node)
        return node

    def _take_iterator(self, frame: LoopFrame, head: LoopBlock) -> None:
        """Put what is below the iterator, and the iterator if there is one, on the stack."""
        depth = self.site.layout.depth
        below = [Outside(StackItem(position), kinds.UNKNOWN) for position in range(depth)]
        frame.stack = list(below)
        if not self.site.is_for:
            return
        if self._iterator is None:
            raise Break(LOOP_ITERATOR)
        source = StackItem(depth - 1)
        node = self.builder.input(source, self._iterator.kind)
        state = [self._parameter(head, kind) for kind in self._iterator.state_kinds]
        self.loop.iterator, self.loop.state = node, state
        frame.stack[-1] = iterator_of(frame, self._iterator, node, state)

    # blocks -------------------------------------------------------------------------------------

    def _new_block(self) -> LoopBlock:
        if len(self.blocks) >= MAX_BLOCKS:
            raise Break(LOOP_TOO_LARGE)
        block = LoopBlock(len(self.blocks))
        self.blocks.append(block)
        return block

    def _run(self, block: LoopBlock, frames: list[LoopFrame]) -> None:
        """Trace units until the block ends."""
        try:
            self._read_items(frames[-1])
            entry: int | None = frames[-1].at
            while block.end is None:
                frame = frames[-1]
                if frame.at != entry and self._is_join(frames):
                    block.end = self.go(frames)
                    break
                entry = None
                block.end = self._step(frames, frame.body.units[frame.at])
        except (Flush, TooLarge) as found:
            block.end = self.stop(frames, found)

    def _is_join(self, frames: list[LoopFrame]) -> bool:
        frame = frames[-1]
        if len(frames) == 1 and (frame.at == self.site.head or frame.at not in self.site.units):
            return True
        return frame.at in frame.facts.joins

    def _read_items(self, frame: LoopFrame) -> None:
        """Read the item that an iterator over an array has promised."""
        if frame.stack:
            frame.stack[-1] = _read(frame, frame.stack[-1])

    def _step(self, frames: list[LoopFrame], unit: Unit) -> Any:
        """Trace one unit; what ends the block, or None."""
        frame, mark = frames[-1], self.builder.checkpoint()
        if unit.location.line is not None:
            frame.lineno = unit.location.line
        frame.at = unit.index + 1
        try:
            for micro in unit.micro:
                handler = steering.HANDLERS.get(micro.name)
                if handler is not None:
                    end = handler(self, frames, micro.arg)
                    if end is not None:
                        return end
                    continue
                target = HANDLERS[micro.name](frame, micro.arg)
                frame.at = frame.at if target is None else target
        except (Flush, TooLarge, Refused) as found:
            self.builder.rollback(mark)
            return self.stop(frames, found)
        return None

    def stop(self, frames: list[LoopFrame], found: Exception) -> Stop:
        """The end of a block that cannot go on, and why."""
        reason, detail = LOOP_UNIT, ""
        if isinstance(found, (Break, Refused)):
            reason, detail = found.reason, found.detail
        elif isinstance(found, TooLarge):
            reason = LOOP_TOO_LARGE
        parts = [detail]
        if reason is MAYBE_UNBOUND:
            reason = LOOP_UNBOUND
        elif reason.code[:3] != LOOP_UNIT.code[:3]:  # the reason of a region, not of a loop
            reason, parts = LOOP_UNIT, [reason.text, detail]
        if len(frames) > 1:
            parts.append(f"in {frames[-1].code.co_qualname}, line {frames[-1].lineno}")
        text = ", ".join(part for part in parts if part)
        return self._add_stop(Stop(reason, text, frames[0].lineno))

    def _add_stop(self, stop: Stop) -> Stop:
        self.stops.append(stop)
        return stop

    # edges --------------------------------------------------------------------------------------

    def go(self, frames: list[LoopFrame]) -> Any:
        """The terminator that leads to where `frames` stand."""
        mark = self.builder.checkpoint()
        try:
            outer = frames[0]
            if len(frames) == 1 and outer.at == self.site.head:
                return self._again(outer)
            if len(frames) == 1 and outer.at not in self.site.units:
                return self._add_stop(Stop(LOOP_LEFT, "", outer.lineno, leaves=True))
            return self._jump(frames)
        except (Flush, TooLarge) as found:
            self.builder.rollback(mark)
            return self.stop(frames, found)

    def _again(self, frame: LoopFrame) -> Again:
        values = tuple(self._handed_on(frame, carried) for carried in self.loop.carried)
        return Again(values, tuple(self._own_state(frame)))

    def _own_state(self, frame: LoopFrame) -> list[Any]:
        if self._iterator is None:
            return []
        return [frame.argument(value) for value in self._iterator.state_of(frame.stack[-1])]

    def _handed_on(self, frame: LoopFrame, carried: Carried) -> Any:
        """The argument for a carried slot; Break if its kind is another one than at the head."""
        value = frame.load(carried.slot)
        kind = plain(frame.assume(value))
        if not isinstance(kind, _CARRIED_KINDS):
            raise Break(LOOP_STATE, frame.body.local_names[carried.slot])
        if carried.kind is kinds.UNKNOWN:
            carried.kind = kind
        if carried.kind != kind:
            raise Break(LOOP_KINDS, frame.body.local_names[carried.slot])
        found = frame.argument(value)
        if isinstance(kind, ArrayKind) and found.op not in (INPUT, PARAMETER):
            raise Break(LOOP_STATE, frame.body.local_names[carried.slot])
        return found

    def _jump(self, frames: list[LoopFrame]) -> Goto:
        place = tuple((frame.identity(), frame.at) for frame in frames)
        count = self._versions.get(place, 0)
        general = count >= MAX_CONSTANT_VERSIONS
        leaves: list[Any] = []
        shapes = [_shape(frame, leaves, general) for frame in frames]
        key = place, key_of(tuple(shapes))
        block = self._made.get(key)
        if block is None:
            if count >= MAX_VERSIONS:
                raise Break(LOOP_TOO_LARGE)
            block = self._made[key] = self._new_block()
            self._versions[place] = count + 1
            block.short = _heads_short_range(frames[-1])
            nodes = [self._parameter(block, kind) for kind in kinds_of(tuple(shapes))]
            self._waiting.append((block, _rebuilt(frames, shapes, iter(nodes))))
        return Goto(block, tuple(leaves))


def _heads_short_range(frame: LoopFrame) -> bool:
    """Whether a frame stands at the head of a `for` over a short range."""
    steps = frame.body.units[frame.at].micro
    if not steps or steps[-1].name != "FOR_ITER":
        return False
    iterator = frame.stack[-1]
    return isinstance(iterator, LoopRangeIterator) and iterator.short


def _ends(end: Any) -> Iterator[Any]:
    """The terminators in a terminator."""
    for part in (getattr(end, "then", None), getattr(end, "otherwise", None)):
        if part is not None:
            yield from _ends(part)
    yield end


def _read(frame: LoopFrame, value: Value) -> Value:
    if isinstance(value, LaterItem):
        return value.read(frame)
    if isinstance(value, TupleValue):
        items = tuple(_read(frame, item) for item in value.items)
        return value if all(map(operator.is_, items, value.items)) else TupleValue(items)
    return value


def _shape(frame: LoopFrame, leaves: list[Any], general: bool) -> Any:
    """The shapes of the live slots and of the stack of a frame."""
    facts = frame.facts.facts
    live = facts.live[frame.at]
    site = frame.facts.sites.get(frame.at)
    stored = site.stored if site is not None else frozenset()
    slots = []
    for index in sorted(frame.slots):
        value = frame.slots[index]
        if index not in live or _is_own(frame, index, value):
            continue
        slots.append((index, flatten(value, leaves, frame.argument, general or index in stored)))
    stack = tuple(
        flatten(value, leaves, frame.argument, site is not None and isinstance(value, LoopIterator))
        for value in frame.stack
    )
    return ("frame", tuple(slots), stack)


def _is_own(frame: LoopFrame, index: int, value: Value) -> bool:
    """Whether a slot holds what it held before the loop, which can be read again."""
    if frame.depth or not isinstance(value, Outside):
        return False
    return value.source in (Local(index), Contents(CellVariable(index)))


def _rebuilt(frames: list[LoopFrame], shapes: list[Any], nodes: Iterator[Node]) -> list[LoopFrame]:
    """The frames at the start of a block, with its parameters in the place of the leaves."""
    made = []
    for frame, (_, slots, stack) in zip(frames, shapes, strict=True):
        copy = frame.twin()
        for index, shape in slots:
            copy.slots[index] = build(shape, nodes)
        copy.stack = [build(shape, nodes) for shape in stack]
        made.append(copy)
    return made
