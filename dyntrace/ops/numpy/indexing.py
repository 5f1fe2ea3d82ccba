"""Subscripts on arrays: basic and advanced indexing, and assignment to them.

Stand-ins have one item along each axis and numbers are 0, so that every index is in range. Reading
may return a view (`aliases`); assignment writes its first argument. Read `ops.probe` next.
"""

from __future__ import annotations

import operator
from typing import Any

from dyntrace import breaks
from dyntrace.graph.kinds import (
    ArrayKind,
    Kind,
    KnownKind,
    NumpyScalarKind,
    PythonScalarKind,
    SequenceKind,
    SliceKind,
)
from dyntrace.graph.node import Op
from dyntrace.ops.call import NumpyCall, Operand, Refused
from dyntrace.ops.probe import DATA, StandIn, generalise, probe, structure
from dyntrace.ops.registry import Infer, Record, add_callable, add_operator
from dyntrace.record import record

NONE = KnownKind(None)


@record(frozen=True)
class _FullSlice:
    """The operand `slice(None, None, None)`."""

    @property
    def kind(self) -> Kind:
        return SliceKind(NONE, NONE, NONE)

    @property
    def items(self) -> tuple[Operand, ...]:
        return tuple(_NoneOperand() for _ in range(3))

    def read(self) -> Any:
        return slice(None)


@record(frozen=True)
class _NoneOperand:
    kind: Kind = NONE
    items: tuple[Operand, ...] = ()

    def read(self) -> Any:
        return None


@record(frozen=True)
class _TupleOperand:
    """A tuple operand made of other operands."""

    items: tuple[Operand, ...]

    @property
    def kind(self) -> Kind:
        return SequenceKind(tuple, tuple(item.kind for item in self.items))

    def read(self) -> Any:
        return tuple(item.read() for item in self.items)


def index(operand: Operand) -> Operand:
    """`operand` with each slice replaced by `:`; refuses bounds that run Python code."""
    match operand.kind:
        case SliceKind(start=start, stop=stop, step=step):
            if all(_is_bound(part) for part in (start, stop, step)):
                return _FullSlice()
            raise Refused(breaks.OBJECT_OPERAND, "slice bound")
        case SequenceKind(type=kind_type) if kind_type is tuple:
            return _TupleOperand(tuple(index(item) for item in operand.items))
    return operand


def _is_bound(kind: Kind) -> bool:
    match kind:
        case PythonScalarKind(type=scalar):
            return scalar in (int, bool)
        case NumpyScalarKind(dtype=dtype):
            return dtype.kind in "iu"
        case ArrayKind(dtype=dtype, ndim=ndim):
            return ndim == 0 and dtype.kind in "iu"
    return isinstance(kind, KnownKind) and kind.value is None


def _sides(operand: Operand) -> set[int]:
    """The lengths of sequences in an index or value; a list of bools needs an axis as long."""
    found = {len(operand.items)} if isinstance(operand.kind, SequenceKind) else set()
    for item in operand.items:
        found |= _sides(item)
    return found


def _subscript(op: Op) -> Infer:
    answers: dict[Any, Kind] = {}

    def infer(call: NumpyCall) -> Kind:
        if len(call.args) != (3 if op.style == "setitem" else 2) or call.kwargs:
            raise Refused(breaks.UNFORESEEN)
        if not isinstance(call.args[0].kind, ArrayKind):
            raise Refused(breaks.OBJECT_OPERAND, "not an array")
        key = tuple(structure(operand.kind) for operand in call.args)
        found = answers.get(key)
        if found is None:
            args = (call.args[0], index(call.args[1]), *call.args[2:])
            sides = sorted({1, *(side for arg in call.args[1:] for side in _sides(arg))} - {0})
            plans = [StandIn(side, 0) for side in sides]
            found, _ = probe(op.target, NumpyCall(args), DATA, plans)
            answers[key] = found
        return generalise(found)

    return infer


def _register() -> None:
    get = Op("operator.getitem", operator.getitem, "indexing", "item", exact=True, aliases=True)
    put = Op("operator.setitem", operator.setitem, "indexing", "setitem", writes=(0,))
    for name, op in (("getitem", get), ("setitem", put)):
        record = Record(op, _subscript(op))
        add_operator(name, False, record)
        add_callable(op.target, record)


_register()
