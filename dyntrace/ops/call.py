"""NumpyCall and Operand: what a record's `infer` is given, and Refused, what it raises.

An operand is a value of the trace seen from outside: its kind, its parts, and `read()`, which asks
for the Python value itself and so makes the region depend on it. The tracer implements `Operand`;
`Sample` is the implementation over a real value, used by the listing and the tests.
Read `ops.probe` next.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

from dyntrace.breaks import BreakReason
from dyntrace.graph.describe import describe
from dyntrace.graph.kinds import Kind
from dyntrace.record import field, record


class Refused(Exception):
    """The call cannot be captured: `reason` is its entry in the catalogue of breaks."""

    def __init__(self, reason: BreakReason, detail: str = "") -> None:
        super().__init__(f"{reason.code} {detail}".strip())
        self.reason = reason
        self.detail = detail


class Operand(Protocol):
    """A value of the trace.

    items   operands of a tuple's or list's items, of a slice's (start, stop, step), of a dict's
            values in the order of its kind's pairs; empty for anything else
    read()  the Python value, guarded from now on; VALUE_NEEDED if the region computes it
    """

    @property
    def kind(self) -> Kind: ...
    @property
    def items(self) -> Sequence[Operand]: ...
    def read(self) -> Any: ...


@record(frozen=True)
class NumpyCall:
    """The operands of one call; of a method call the first argument is the object."""

    args: tuple[Operand, ...]
    kwargs: Mapping[str, Operand] = field(default_factory=dict)


@record(frozen=True, eq=False)
class Sample:
    """An operand over a real value, every part of it readable."""

    value: Any

    @property
    def kind(self) -> Kind:
        return describe(self.value)

    @property
    def items(self) -> Sequence[Sample]:
        value = self.value
        if type(value) is slice:
            return tuple(Sample(part) for part in (value.start, value.stop, value.step))
        if type(value) is dict:
            return tuple(Sample(part) for part in value.values())
        return tuple(Sample(part) for part in value) if isinstance(value, (tuple, list)) else ()

    def read(self) -> Any:
        return self.value
