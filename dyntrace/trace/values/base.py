"""The values everything else is made of: computed, found outside, or known.

Invariant: a `Value` has a `kind`; whatever is concluded from the kind of an `Outside` value must be
demanded of its source first (`trace.frame.Frame.assume`). Read `values.containers` next.
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
    """The result of a node of this region; `temporary` while only the stack holds it."""

    node: Node
    temporary: bool = True

    @property
    def kind(self) -> Kind:
        return self.node.kind


@record(eq=False)
class Outside(Value):
    """An object that exists before the region starts, found at `source`, believed of `believed`."""

    source: Source
    expected: Kind

    @property
    def kind(self) -> Kind:
        return self.expected


@record(eq=False)
class Constant(Value):
    """An immutable constant of the code, or folded from such."""

    value: Any
    _kind: Kind | None = None

    @property
    def kind(self) -> Kind:
        if self._kind is None:
            self._kind = describe(self.value)
        return self._kind


@record(eq=False)
class Folded(Constant):
    """The result of an operation on constants: CPython makes a new object of it in every call."""


@record(eq=False)
class Null(Value):
    """The NULL that calls push beside the callable; it can be re-emitted but never passed."""


@record(eq=False)
class MaybeNull(Value):
    """A stack slot below the region that may hold NULL: it stays where it is, untouched."""


NULL = Null()
METHOD_NULL = Null()  # beside a bound method, where CPython itself may have pushed another pair
