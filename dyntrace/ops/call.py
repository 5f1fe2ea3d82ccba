"""NumpyCall and Operand, the arguments of a record's `infer`; Refused, the exception it raises.

An operand is the interface to a value of the trace: its kind, its items, and `read()`, which
returns the Python value and guards it. The tracer implements `Operand`. `Sample` implements it for
a real value, for tests. Read `ops.probe` next.
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
    read()  the Python value, which a guard then checks; raises Refused (VALUE_NEEDED) if the region
            computes it
    """

    @property
    def kind(self) -> Kind: ...
    @property
    def items(self) -> Sequence[Operand]: ...
    def read(self) -> Any: ...


@record(frozen=True)
class NumpyCall:
    """The operands of one call; the first argument of a method call is the object."""

    args: tuple[Operand, ...]
    kwargs: Mapping[str, Operand] = field(default_factory=dict)


@record(frozen=True, eq=False)
class Sample:
    """An operand with a real value; `read` works for every part of it."""

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
