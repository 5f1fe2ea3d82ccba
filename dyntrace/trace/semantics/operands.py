"""TracedOperand: a symbolic value as an operand of the operation tables.

Invariant: what an operation's rule looks at is guarded. Asking for `kind` guards the kind; `read`
guards the value. Read `ops.call` for the protocol that this implements.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from dyntrace.breaks import VALUE_NEEDED
from dyntrace.graph import kinds
from dyntrace.graph.kinds import Kind
from dyntrace.ops.registry import Operand, Refused
from dyntrace.record import record
from dyntrace.trace.regions.builder import Guard
from dyntrace.trace.values.base import Computed, Constant, Outside, Value
from dyntrace.trace.values.containers import SliceValue

if TYPE_CHECKING:
    from dyntrace.trace.frame import Frame

__all__ = ["TracedOperand", "read_value"]


class TracedOperand:
    """One operand of a call being traced."""

    __slots__ = ("_frame", "_kind", "_value")

    def __init__(self, frame: Frame, value: Value) -> None:
        self._frame = frame
        self._value = value
        self._kind: Kind | None = None

    @property
    def kind(self) -> Kind:
        if self._kind is None:
            self._kind = self._frame.assume(self._value)
        return self._kind

    @property
    def items(self) -> Sequence[Operand]:
        kind = self._value.kind
        if isinstance(self._value, Computed) and isinstance(kind, kinds.SequenceKind):
            return tuple(ComputedOperand(item) for item in kind.items)
        parts = self._frame.items_of(self._value)
        if parts is None and isinstance(self._value, SliceValue):
            parts = [self._value.start, self._value.stop, self._value.step]
        if parts is None:
            pairs = self._frame.pairs_of(self._value)
            parts = list(pairs.values()) if pairs is not None else []
        return tuple(TracedOperand(self._frame, part) for part in parts)

    def read(self) -> Any:
        return read_value(self._frame, self._value)


@record(frozen=True)
class ComputedOperand:
    """An item of a sequence that the region computes, so only its kind is known."""

    kind: Kind

    @property
    def items(self) -> Sequence[Operand]:
        found = self.kind.items if isinstance(self.kind, kinds.SequenceKind) else ()
        return tuple(ComputedOperand(item) for item in found)

    def read(self) -> Any:
        raise Refused(VALUE_NEEDED)


def read_value(frame: Frame, value: Value) -> Any:
    """The Python object that `value` stands for, guarded by value.

    Refused if the region computes it, or if its value is not known or must not be guarded.
    """
    if isinstance(value, Constant):
        return value.value
    if isinstance(value, SliceValue):
        parts = (value.start, value.stop, value.step)
        return slice(*(read_value(frame, part) for part in parts))
    items = frame.items_of(value)
    if items is not None:
        made = [read_value(frame, item) for item in items]
        return tuple(made) if getattr(value.kind, "type", list) is tuple else made
    if not isinstance(value, Outside):
        raise Refused(VALUE_NEEDED)
    return _read_outside(frame, value)


def _read_outside(frame: Frame, value: Outside) -> Any:
    kind = value.expected
    if isinstance(kind, kinds.KnownKind):
        frame.assume(value)
        return kind.value
    if isinstance(kind, (kinds.PythonScalarKind, kinds.StringKind)):
        if kind.example is None:
            raise Refused(VALUE_NEEDED)
        frame.region.guard(value.source, Guard("value", kind.example))
        return kind.example
    raise Refused(VALUE_NEEDED)
