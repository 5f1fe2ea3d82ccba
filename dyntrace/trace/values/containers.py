"""Tuples, lists, dicts, slices and iterators that a region builds.

Invariants: one list or dict value is one object, however many locals refer to it. Only
`trace.semantics.changes` changes it, so that the change can be undone. Read `values.callables`
next.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from dyntrace.graph import kinds
from dyntrace.graph.kinds import Kind
from dyntrace.record import record
from dyntrace.trace.values.base import Value

__all__ = ["DictValue", "IteratorValue", "ListValue", "SliceValue", "TupleValue"]


@record(eq=False)
class TupleValue(Value):
    """A tuple of symbolic values."""

    items: tuple[Value, ...]

    @property
    def kind(self) -> Kind:
        return kinds.SequenceKind(tuple, tuple(item.kind for item in self.items))


@record(eq=False)
class ListValue(Value):
    """A list built in this region."""

    items: list[Value]

    @property
    def kind(self) -> Kind:
        return kinds.SequenceKind(list, tuple(item.kind for item in self.items))


@record(eq=False)
class DictValue(Value):
    """A dict with constant keys, built in this region."""

    items: dict[Any, Value]

    @property
    def kind(self) -> Kind:
        return kinds.DictKind(tuple((key, item.kind) for key, item in self.items.items()))


@record(eq=False)
class SliceValue(Value):
    """A slice of symbolic values."""

    start: Value
    stop: Value
    step: Value

    @property
    def kind(self) -> Kind:
        return kinds.SliceKind(self.start.kind, self.stop.kind, self.step.kind)


@record(eq=False)
class IteratorValue(Value):
    """An iterator over values of the trace. It exists only while an inlined body is traced."""

    items: Iterator[Value]
