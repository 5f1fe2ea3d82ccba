"""The iterator that a loop region consumes: a real object on the evaluation stack.

Machine code takes its state as numbers, and the object is brought up to date afterwards. Invariant:
only iterators of exact built-in types are taken, which nobody else refers to
(`_native/ahead/loop_program.c` checks that). Read `trace.loops.loop_tracer`, the user, next.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from dyntrace.graph.describe import describe
from dyntrace.graph.kinds import ArrayKind, Kind, ObjectKind, PythonScalarKind
from dyntrace.graph.node import Node
from dyntrace.record import record
from dyntrace.trace.loops.loop_frames import LoopFrame
from dyntrace.trace.loops.virtual import (
    LoopArrayIterator,
    LoopIterator,
    LoopRangeIterator,
    index_node,
)
from dyntrace.trace.values.base import Computed, Value

__all__ = ["IteratorInput", "iterator_input", "iterator_of"]

_RANGE_ITERATOR = type(iter(range(0)))
_SEQUENCE_ITERATOR = type(iter(np.zeros(1)))


@record(frozen=True)
class IteratorInput:
    """What is known of the iterator.

    kind   of the object: its exact type
    array  the kind of the array that it iterates over; None for a range
    code   how the machine code gets it (`_native/ahead/loop_program.c`)
    """

    kind: Kind
    array: ArrayKind | None
    code: str

    @property
    def state_kinds(self) -> tuple[Kind, ...]:
        """The kinds of what changes with each iteration."""
        return (PythonScalarKind(int),) * (1 if self.array is not None else 2)

    def state_of(self, value: Value) -> tuple[Value, ...]:
        """The parts of the iterator's value that change with each iteration."""
        if isinstance(value, LoopRangeIterator):
            return value.at, value.remaining
        assert isinstance(value, LoopArrayIterator)
        return (value.at,)


def iterator_input(iterator: Any) -> IteratorInput | None:
    """What is known of a real iterator; None if machine code cannot consume it."""
    found = type(iterator)
    if found is _RANGE_ITERATOR:
        return IteratorInput(ObjectKind(found), None, "r")
    if found is _SEQUENCE_ITERATOR:
        held = iterator.__reduce__()[1][
            0
        ]  # `(iter, (sequence,), index)`; an empty tuple at its end
        kind = describe(held)
        if type(held) is np.ndarray and isinstance(kind, ArrayKind) and 0 < kind.ndim < 10:
            return IteratorInput(ObjectKind(found), kind, f"q{kind.dtype.char}{kind.ndim}")
    return None


def iterator_of(
    frame: LoopFrame, known: IteratorInput, node: Node, state: list[Node]
) -> LoopIterator:
    """The iterator as a value: `node` is the input, `state` the head's parameters."""
    parts = [Computed(part, temporary=False) for part in state]
    if known.array is None:
        step = index_node(frame, "field", node, 1)
        return LoopRangeIterator(parts[0], parts[1], Computed(step, temporary=False))
    array = index_node(frame, "field", node, 1, kind=known.array)
    return LoopArrayIterator(Computed(array, temporary=False), parts[0])
