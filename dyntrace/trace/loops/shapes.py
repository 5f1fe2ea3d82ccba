"""Shapes: what is known of the frames at a block, apart from the values that differ.

`flatten` takes a symbolic value apart into a shape and its leaves, `build` puts it together again
with other leaves. Blocks of machine code are made once for each shape in which control comes to a
unit. Invariant: equal shapes have equal kinds of leaves in equal order. Read
`trace.loops.loop_tracer`, the user, next.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from types import MappingProxyType
from typing import Any

from dyntrace.breaks import LOOP_STATE
from dyntrace.graph.kinds import (
    ArrayKind,
    Kind,
    NumbersKind,
    NumpyScalarKind,
    PythonScalarKind,
)
from dyntrace.graph.node import Node
from dyntrace.trace.frame import Break
from dyntrace.trace.loops.lists import LaterNumber, LoopListIterator
from dyntrace.trace.loops.virtual import (
    LaterItem,
    LoopArrayIterator,
    LoopEnumerate,
    LoopRange,
    LoopRangeIterator,
    LoopZip,
)
from dyntrace.trace.values.base import Computed, Constant, MaybeNull, Null, Outside, Value
from dyntrace.trace.values.callables import BoundFunction, BoundMethod
from dyntrace.trace.values.containers import SliceValue, TupleValue

__all__ = ["Shape", "build", "flatten", "key_of", "kinds_of", "plain"]

Shape = tuple[Any, ...]
Argument = Callable[[Value], Any]


def plain(kind: Kind) -> Kind:
    """A kind without the example that was seen."""
    return PythonScalarKind(kind.type) if isinstance(kind, PythonScalarKind) else kind


_NUMBERS = (PythonScalarKind, NumpyScalarKind)
_FIELDS: Mapping[type[Value], tuple[str, ...] | None] = MappingProxyType(
    {
        TupleValue: None,
        SliceValue: ("start", "stop", "step"),
        LoopRange: ("start", "stop", "step"),
        LoopRangeIterator: ("at", "remaining", "step"),
        LoopArrayIterator: ("array", "at"),
        LoopListIterator: ("numbers", "at"),
        LaterNumber: ("array", "at"),
        LaterItem: ("array", "at"),
        LoopEnumerate: ("inner", "count"),
        LoopZip: None,
        BoundFunction: ("self", "function"),
    }
)


def flatten(value: Value, leaves: list[Any], argument: Argument, general: bool) -> Shape:
    """The shape of `value`; its leaves are appended as arguments of nodes.

    `general` makes leaves of numeric constants too. Break if the value cannot go from block to
    block, such as a list that an iteration builds.
    """
    if isinstance(value, Constant):
        return _constant(value, leaves, general)
    if isinstance(value, Computed):
        return _leaf(value, leaves, argument)
    if isinstance(value, Outside):
        if general and isinstance(value.expected, _NUMBERS):
            return _leaf(value, leaves, argument)
        return ("outside", value.source, plain(value.expected))
    if isinstance(value, (Null, MaybeNull)):
        return ("same", id(value), value)
    if isinstance(value, LoopRangeIterator):  # a constant step stays one
        at = flatten(value.at, leaves, argument, general)
        remaining = flatten(value.remaining, leaves, argument, general)
        step = flatten(value.step, leaves, argument, False)
        return (LoopRangeIterator, at, remaining, step, value.short)
    if isinstance(value, BoundMethod):
        return ("method", value.name, flatten(value.self, leaves, argument, general))
    if type(value) in _FIELDS:
        parts = _parts(value)
        shapes = [flatten(part, leaves, argument, general) for part in parts]
        return (type(value), *shapes)
    raise Break(LOOP_STATE, type(value).__name__)


def _leaf(value: Value, leaves: list[Any], argument: Argument) -> Shape:
    kind = plain(value.kind)
    if not isinstance(kind, (*_NUMBERS, ArrayKind, NumbersKind)):
        raise Break(LOOP_STATE)
    leaves.append(argument(value))
    return ("leaf", kind)


def _constant(value: Constant, leaves: list[Any], general: bool) -> Shape:
    held = value.value
    if general and type(held) in (bool, int, float, complex):
        leaves.append(held)
        return ("leaf", PythonScalarKind(type(held)))
    key = (type(held), repr(held)) if type(held) in (int, float, complex, bool) else id(held)
    return ("constant", key, value)


def _parts(value: Any) -> tuple[Value, ...]:
    names = _FIELDS[type(value)]
    if names is None:
        found = value.items if isinstance(value, TupleValue) else value.inners
        return tuple(found)
    return tuple(getattr(value, name) for name in names)


def key_of(shape: Any) -> Any:
    """What makes two shapes equal: without the values that they carry along."""
    if isinstance(shape, tuple):
        if shape and shape[0] in ("constant", "same"):
            return shape[:2]
        if shape and shape[0] == "outside":
            return shape[:3]
        return tuple(key_of(part) for part in shape)
    return shape


def kinds_of(shape: Any) -> Iterator[Kind]:
    """The kinds of the leaves of a shape, in order."""
    if isinstance(shape, tuple):
        if len(shape) == 2 and shape[0] == "leaf":
            yield shape[1]
        elif not (shape and shape[0] in ("constant", "same", "outside")):
            for part in shape:
                yield from kinds_of(part)


def build(shape: Any, leaves: Iterator[Node]) -> Value:
    """A value of this shape with these leaves."""
    tag = shape[0]
    if tag == "leaf":
        return Computed(next(leaves), temporary=False)
    if tag in ("constant", "same"):
        held: Value = shape[2]
        return held
    if tag == "outside":
        return Outside(shape[1], shape[2])
    if tag == "method":
        return BoundMethod(build(shape[2], leaves), shape[1])
    parts = tuple(p if type(p) is bool else build(p, leaves) for p in shape[1:])
    if tag in (TupleValue, LoopZip):
        return tag(parts)  # type: ignore[no-any-return]
    return tag(*parts)  # type: ignore[no-any-return]
