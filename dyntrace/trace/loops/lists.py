"""Lists and tuples of numbers, whose items machine code reads and replaces one at a time.

Such a list is known by the type that its first items have; machine code checks the type of each
item that it reads. Invariant: in a loop that replaces items, no item of a list is an input of the
loop, since two names may mean the same list (`LoopBuilder.use_lists`). Read
`exec.kernels.list_rules` for the machine code.
"""

from __future__ import annotations

from typing import Any

from dyntrace.graph.kinds import Kind, KnownKind, NumbersKind, PythonScalarKind, SequenceKind
from dyntrace.graph.node import Node, Op
from dyntrace.record import record
from dyntrace.trace.frame import Frame
from dyntrace.trace.loops.loop_frames import LoopFrame
from dyntrace.trace.loops.virtual import LaterItem, LoopIterator, array_iterator, index_node
from dyntrace.trace.semantics import protocol
from dyntrace.trace.values.base import Computed, Constant, Outside, Value

__all__ = [
    "LaterNumber",
    "LoopListIterator",
    "get_item",
    "iterator_over",
    "length_of",
    "numbers_kind",
    "set_item",
]

SAMPLE = 64  # items whose types are looked at
_ITEM_TYPES = frozenset({int, float, bool})


def _no_target(*args: Any) -> Any:
    raise AssertionError("items are read one by one in machine code only")


_ITEM, _LENGTH, _STORE = (
    Op(f"list.{name}", _no_target, "index", exact=True) for name in ("item", "length", "store")
)


def numbers_kind(value: Any) -> NumbersKind | None:
    """The kind of a list or tuple whose first items are numbers of one type; None for others."""
    if type(value) not in (list, tuple):
        return None
    found = set(map(type, value[:SAMPLE]))
    if len(found) != 1 or not found <= _ITEM_TYPES:
        return None
    return NumbersKind(found.pop(), type(value))


def _numbers_of(value: Value) -> Value | None:
    """`value` as a list or tuple of numbers of one type; None if it is none."""
    kind = value.kind
    if isinstance(kind, NumbersKind):
        return value
    if not isinstance(value, Outside) or not isinstance(kind, SequenceKind):
        return None
    found = {item.type for item in kind.items if isinstance(item, PythonScalarKind)}
    one_type = len(found) == 1 and all(isinstance(k, PythonScalarKind) for k in kind.items)
    if kind.type not in (list, tuple) or not one_type or not found <= _ITEM_TYPES:
        return None
    return Outside(value.source, NumbersKind(found.pop(), kind.type))


def _node(frame: Frame, op: Op, args: tuple[Any, ...], kind: Kind) -> Node:
    return frame.region.add(op, args, (), kind, frame.origin())


def _is_number(frame: Frame, value: Value, types: frozenset[type]) -> bool:
    kind = frame.assume(value)
    return isinstance(kind, PythonScalarKind) and kind.type in types


def get_item(frame: LoopFrame, container: Value, index: Value) -> Value:
    """`container[index]`. A constant index into a tuple reads it before the loop."""
    numbers, held = _numbers_of(container), getattr(container.kind, "type", None)
    before = isinstance(container.kind, SequenceKind) and held is tuple
    if numbers is not None and not (before and isinstance(index, Constant)):
        return _item(frame, numbers, index)
    if isinstance(container, Outside) and held is list:
        frame.builder.use_lists("read")
    return protocol.get_item(frame, container, index)


def _item(frame: Frame, numbers: Value, index: Value) -> Value:
    frame.assume(index)
    kind = numbers.kind
    assert isinstance(kind, NumbersKind)
    args = frame.argument(numbers), frame.argument(index)
    return Computed(_node(frame, _ITEM, args, PythonScalarKind(kind.item)))


def set_item(frame: LoopFrame, container: Value, index: Value, value: Value) -> None:
    """`container[index] = value`."""
    numbers = _numbers_of(container)
    is_list = numbers is not None and getattr(numbers.kind, "type", None) is list
    if numbers is None or not is_list or not _is_number(frame, value, _ITEM_TYPES):
        protocol.set_item(frame, container, index, value)
        return
    frame.assume(index)
    frame.builder.use_lists("changed")
    args = frame.argument(numbers), frame.argument(index), frame.argument(value)
    _node(frame, _STORE, args, KnownKind(None))


def length_of(frame: Frame, value: Value) -> Value | None:
    """`len(value)` for a list of numbers; None for anything else."""
    numbers = _numbers_of(value)
    known = isinstance(value.kind, SequenceKind) and value.kind.type is tuple
    return None if numbers is None or known else Computed(_length(frame, numbers))


def _length(frame: Frame, numbers: Value) -> Node:
    return _node(frame, _LENGTH, (frame.argument(numbers),), PythonScalarKind(int))


@record(eq=False)
class LoopListIterator(LoopIterator):
    """An iterator over a list or tuple of numbers, the next item being that at `at`."""

    numbers: Value
    at: Value

    def advance(self, frame: Frame) -> tuple[Any, Value, LoopIterator]:
        at, length = frame.argument(self.at), _length(frame, self.numbers)
        more = index_node(frame, "more", at, length, kind=PythonScalarKind(bool))
        rest = LoopListIterator(self.numbers, Computed(index_node(frame, "add", at, 1)))
        return more, LaterNumber(self.numbers, self.at), rest


@record(eq=False)
class LaterNumber(LaterItem):
    """The item of a list at an index, which is read only once it is known to exist."""

    def read(self, frame: Frame) -> Value:
        return _item(frame, self.array, self.at)


def iterator_over(frame: Frame, value: Value) -> LoopIterator | None:
    """`iter(value)` for an array, or a list or tuple of numbers; None for anything else."""
    numbers = _numbers_of(value)
    if numbers is not None:
        return LoopListIterator(numbers, Constant(0))
    frame.assume(value)
    return array_iterator(value)
