"""The iterator that a loop region consumes: a real object on the evaluation stack.

Machine code takes its state as numbers, and the object is brought up to date afterwards. Invariant:
only iterators of exact built-in types are taken, which nobody else refers to
(`_native/ahead/loop_program.c` checks that). Read `trace.loops.loop_tracer`, the user, next.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import count
from types import MappingProxyType
from typing import Any

import numpy as np

from dyntrace.graph.describe import describe
from dyntrace.graph.kinds import ArrayKind, Kind, NumbersKind, ObjectKind, PythonScalarKind
from dyntrace.graph.node import Node
from dyntrace.record import record
from dyntrace.trace.loops.lists import LoopListIterator, numbers_kind
from dyntrace.trace.loops.loop_frames import LoopFrame
from dyntrace.trace.loops.virtual import (
    LoopArrayIterator,
    LoopEnumerate,
    LoopIterator,
    LoopRangeIterator,
    LoopZip,
    index_node,
)
from dyntrace.trace.values.base import Computed, Value

__all__ = ["IteratorInput", "iterator_input", "iterator_of"]

_RANGE_ITERATOR = type(iter(range(0)))
_SEQUENCE_ITERATOR = type(iter(np.zeros(1)))
_LIST_ITERATORS: Mapping[type, str] = MappingProxyType({type(iter([])): "m", type(iter(())): "u"})
_INT = PythonScalarKind(int)
MAX_DEPTH = 6  # of iterators in iterators


@record(frozen=True)
class IteratorInput:
    """What is known of the iterator.

    kind    of the object: its exact type
    code    how the machine code gets it (`_native/ahead/loop_values.h`)
    items   the kind of the array, list or tuple that it iterates over; None for another one
    inners  what is known of the iterators in an enumerate or a zip
    """

    kind: Kind
    code: str
    items: ArrayKind | NumbersKind | None = None
    inners: tuple[IteratorInput, ...] = ()

    @property
    def state_kinds(self) -> tuple[Kind, ...]:
        """The kinds of what changes with each iteration."""
        own = {"r": 2, "q": 1, "m": 1, "u": 1, "e": 1, "z": 0}[self.code[0]]
        inner = tuple(kind for one in self.inners for kind in one.state_kinds)
        return (_INT,) * own + inner

    def state_of(self, value: Value) -> tuple[Value, ...]:
        """The parts of the iterator's value that change with each iteration."""
        if isinstance(value, LoopRangeIterator):
            return value.at, value.remaining
        if isinstance(value, LoopEnumerate):
            return value.count, *self.inners[0].state_of(value.inner)
        if isinstance(value, LoopZip):
            pairs = zip(self.inners, value.inners, strict=True)
            return tuple(part for known, inner in pairs for part in known.state_of(inner))
        assert isinstance(value, (LoopArrayIterator, LoopListIterator))
        return (value.at,)


def iterator_input(iterator: Any, depth: int = 0) -> IteratorInput | None:
    """What is known of a real iterator; None if machine code cannot consume it."""
    found = type(iterator)
    if found is _RANGE_ITERATOR:
        return IteratorInput(ObjectKind(found), "r")
    if found is _SEQUENCE_ITERATOR:
        # `(iter, (sequence,), index)`; the sequence is an empty tuple at its end
        held = iterator.__reduce__()[1][0]
        kind = describe(held)
        if type(held) is np.ndarray and isinstance(kind, ArrayKind) and 0 < kind.ndim < 10:
            return IteratorInput(ObjectKind(found), f"q{kind.dtype.char}{kind.ndim}", kind)
    if found in _LIST_ITERATORS:
        numbers = numbers_kind(iterator.__reduce__()[1][0])
        if numbers is not None:
            return IteratorInput(ObjectKind(found), _LIST_ITERATORS[found], numbers)
    if depth == MAX_DEPTH or found not in (enumerate, zip):
        return None
    held = iterator.__reduce__()[1]  # the iterator and the next number; the iterators of a zip
    inners = [iterator_input(one, depth + 1) for one in (held[:1] if found is enumerate else held)]
    known = tuple(inner for inner in inners if inner is not None)
    if not 0 < len(inners) == len(known) < 10:
        return None
    letter = "e" if found is enumerate else f"z{len(known)}"
    code = letter + "".join(inner.code for inner in known)
    return IteratorInput(ObjectKind(found), code, inners=known)


def iterator_of(
    frame: LoopFrame, known: IteratorInput, node: Node, state: list[Node]
) -> LoopIterator:
    """The iterator as a value: `node` is the input, `state` the head's parameters."""
    return _built(frame, known, node, iter(state), count())


def _built(
    frame: LoopFrame, known: IteratorInput, node: Node, state: Iterator[Node], parts: count[int]
) -> LoopIterator:
    """An iterator inside of the input; `parts` numbers the input's parts."""

    def part(kind: Kind = _INT) -> Value:
        found = index_node(frame, "field", node, next(parts), kind=kind)
        return Computed(found, temporary=False)

    def changing() -> Value:
        next(parts)
        return Computed(next(state), temporary=False)

    if known.code[0] == "r":
        at, step, remaining = changing(), part(), changing()
        return LoopRangeIterator(at, remaining, step)
    if known.items is not None:
        at, items = changing(), part(known.items)
        over_list = isinstance(known.items, NumbersKind)
        return LoopListIterator(items, at) if over_list else LoopArrayIterator(items, at)
    numbers = [changing()] if known.code[0] == "e" else []
    inners = tuple(_built(frame, inner, node, state, parts) for inner in known.inners)
    return LoopEnumerate(inners[0], numbers[0]) if numbers else LoopZip(inners)
