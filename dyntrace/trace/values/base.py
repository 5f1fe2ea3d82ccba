"""The basic symbolic values: results of nodes, objects from outside, and constants.

Invariant: a value has a `kind`. That of an `Outside` value is only expected: whoever relies on it
must have the region guard it first (`trace.frame.Frame.assume`). Read `values.containers` next.
"""

from __future__ import annotations

from typing import Any

from dyntrace.graph import kinds
from dyntrace.graph.describe import describe
from dyntrace.graph.kinds import Kind
from dyntrace.graph.node import Node
from dyntrace.record import record
from dyntrace.trace.sources import Source

__all__ = [
    "METHOD_NULL",
    "NULL",
    "Computed",
    "Constant",
    "Folded",
    "MaybeNull",
    "Null",
    "Outside",
    "Value",
]


@record(eq=False)
class Value:
    """Base of all symbolic values."""

    @property
    def kind(self) -> Kind:
        return kinds.UNKNOWN


@record(eq=False)
class Computed(Value):
    """The result of a node of this region; `temporary` while only the stack refers to it."""

    node: Node
    temporary: bool = True

    @property
    def kind(self) -> Kind:
        return self.node.kind


@record(eq=False)
class Outside(Value):
    """An object from before the region, read at `source`; its kind is `expected` until guarded."""

    source: Source
    expected: Kind

    @property
    def kind(self) -> Kind:
        return self.expected


@record(eq=False)
class Constant(Value):
    """An object that is part of the trace: a constant of the code, or one that kinds determine."""

    value: Any
    _kind: Kind | None = None

    @property
    def kind(self) -> Kind:
        if self._kind is None:
            self._kind = describe(self.value)
        return self._kind


@record(eq=False)
class Folded(Constant):
    """The result of an operation on constants, of which CPython makes a new object in each call."""


@record(eq=False)
class Null(Value):
    """The NULL beside a callable. A stub can push one, and must not copy or pass one."""


@record(eq=False)
class MaybeNull(Value):
    """A stack slot from before the region that may hold NULL. The region must not touch it."""


NULL = Null()
METHOD_NULL = Null()  # beside a bound method; CPython may have pushed function and object instead
