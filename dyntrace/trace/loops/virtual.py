"""Iterators and ranges that exist only in machine code, as symbolic values.

Each takes the place of an object that CPython would make in an iteration and drop again. Advancing
one gives a condition, the item and the next iterator. Invariant: the numbers in them are indexes,
which stay within 64 bits, so their arithmetic needs no check. Read `trace.loops.loop_tracer` next.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from dyntrace.breaks import LOOP_ITERATOR
from dyntrace.graph.kinds import ArrayKind, Kind, PythonScalarKind
from dyntrace.graph.node import Node, Op
from dyntrace.record import record
from dyntrace.trace.frame import Break, Frame
from dyntrace.trace.semantics.protocol import get_item
from dyntrace.trace.values.base import Computed, Constant, Value
from dyntrace.trace.values.containers import TupleValue

__all__ = [
    "INDEX_OPS",
    "LaterItem",
    "LoopArrayIterator",
    "LoopEnumerate",
    "LoopIterator",
    "LoopRange",
    "LoopRangeIterator",
    "LoopZip",
    "array_iterator",
    "index_node",
    "range_iterator",
    "reversed_range",
]

SHORT = 64  # items
_INT, _BOOL = PythonScalarKind(int), PythonScalarKind(bool)


def _no_target(*args: Any) -> Any:
    raise AssertionError("an index operation exists in machine code only")


def _index_op(name: str) -> Op:
    return Op(f"index.{name}", _no_target, "index", exact=True)


INDEX_OPS: Mapping[str, Op] = MappingProxyType(
    {
        name: _index_op(name)
        for name in (
            "add",
            "next",
            "more",
            "count",
            "last",
            "positive",
            "length",
            "field",
            "both",
            "real",
            "imag",
        )
    }
)


def index_node(frame: Frame, name: str, *args: Any, kind: Kind = _INT) -> Node:
    """A node of index arithmetic; its arguments are nodes and constants."""
    return frame.region.add(INDEX_OPS[name], args, (), kind, frame.origin())


@record(eq=False)
class LoopRange(Value):
    """A range that is only iterated over."""

    start: Value
    stop: Value
    step: Value


@record(eq=False)
class LoopIterator(Value):
    """An iterator that exists only in machine code."""


@record(eq=False)
class LoopRangeIterator(LoopIterator):
    """An iterator over a range: `remaining` items from `at` on, `step` apart.

    `short` says that there are few, so that nobody has to wait for their end.
    """

    at: Value
    remaining: Value
    step: Value
    short: bool = False

    def advance(self, frame: Frame) -> tuple[Any, Value, LoopIterator]:
        at, step = frame.argument(self.at), frame.argument(self.step)
        remaining = frame.argument(self.remaining)
        more = index_node(frame, "positive", remaining, kind=_BOOL)
        rest = LoopRangeIterator(
            Computed(index_node(frame, "add", at, step)),
            Computed(index_node(frame, "add", remaining, -1)),
            self.step,
            self.short,
        )
        return more, self.at, rest


@record(eq=False)
class LoopArrayIterator(LoopIterator):
    """An iterator over the first axis of an array, the next item being that at `at`."""

    array: Value
    at: Value

    def advance(self, frame: Frame) -> tuple[Any, Value, LoopIterator]:
        at = frame.argument(self.at)
        length = index_node(frame, "length", frame.argument(self.array))
        more = index_node(frame, "more", at, length, kind=_BOOL)
        rest = LoopArrayIterator(self.array, Computed(index_node(frame, "add", at, 1)))
        return more, LaterItem(self.array, self.at), rest


@record(eq=False)
class LaterItem(Value):
    """The item of an array at an index, which is read only once it is known to exist."""

    array: Value
    at: Value

    def read(self, frame: Frame) -> Value:
        return get_item(frame, self.array, self.at)


@record(eq=False)
class LoopEnumerate(LoopIterator):
    """`enumerate(inner)`, the next number being `count`."""

    inner: LoopIterator
    count: Value

    def advance(self, frame: Frame) -> tuple[Any, Value, LoopIterator]:
        more, item, inner = self.inner.advance(frame)  # type: ignore[attr-defined]
        count = index_node(frame, "next", frame.argument(self.count))
        return more, TupleValue((self.count, item)), LoopEnumerate(inner, Computed(count))


@record(eq=False)
class LoopZip(LoopIterator):
    """`zip` of iterators without effects, so that it does not matter how far each was advanced."""

    inners: tuple[LoopIterator, ...]

    def advance(self, frame: Frame) -> tuple[Any, Value, LoopIterator]:
        steps = [inner.advance(frame) for inner in self.inners]  # type: ignore[attr-defined]
        more = steps[0][0]
        for other, _, _ in steps[1:]:
            more = index_node(frame, "both", more, other, kind=_BOOL)
        items = tuple(item for _, item, _ in steps)
        return more, TupleValue(items), LoopZip(tuple(inner for _, _, inner in steps))


def range_iterator(frame: Frame, made: LoopRange) -> LoopRangeIterator:
    """`iter(made)`."""
    start, stop, step = (frame.argument(part) for part in (made.start, made.stop, made.step))
    if type(start) is type(stop) is type(step) is int and step:
        length = len(range(start, stop, step))
        return LoopRangeIterator(made.start, Constant(length), made.step, length <= SHORT)
    count = index_node(frame, "count", start, stop, step)
    return LoopRangeIterator(made.start, Computed(count), made.step)


def reversed_range(frame: Frame, made: LoopRange) -> LoopRangeIterator:
    """`reversed(made)`; Break if its step is not a constant."""
    if not isinstance(made.step, Constant):
        raise Break(LOOP_ITERATOR, "reversed")
    start, stop, step = (frame.argument(part) for part in (made.start, made.stop, made.step))
    count = index_node(frame, "count", start, stop, step)
    last = index_node(frame, "last", start, count, step)
    return LoopRangeIterator(Computed(last), Computed(count), Constant(-made.step.value))


def array_iterator(value: Value) -> LoopArrayIterator | None:
    """`iter(value)` for an array with at least one axis; None for anything else."""
    kind = value.kind
    if isinstance(kind, ArrayKind) and kind.ndim:
        return LoopArrayIterator(value, Constant(0))
    return None
