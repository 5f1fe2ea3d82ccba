"""The registry: one record per NumPy function, method, attribute and operator. Frozen after import.

A record says what eager runs (`op`) and how to foresee the result (`infer`); a treatment says why a
callable has no record. The tracer asks `record_of`, `method`, `attribute` and `operator_record` and
nothing else. A record is a promise: running `op.target` on real operands equals the eager call, and
a wrong `infer` can only cost a deopt (unless `op.exact`). The tables are in the sibling modules,
one family each; `ops.probe` is the default inference, `ops.listing` prints what is here.
"""

from __future__ import annotations

import types
from collections.abc import Callable
from typing import Any

import numpy as np

from dyntrace.breaks import BreakReason, reason
from dyntrace.graph.kinds import Kind, NumpyScalarKind
from dyntrace.graph.node import Op
from dyntrace.ops.call import Call, Operand, Refused, Sample
from dyntrace.record import record

__all__ = [
    "Call",
    "Operand",
    "Record",
    "Refused",
    "Sample",
    "Treatment",
    "array_treatment",
    "attribute",
    "method",
    "object_treatment",
    "operator_record",
    "record_of",
    "subscript_record",
]

Infer = Callable[[Call], Kind]


@record(frozen=True)
class Record:
    """How one callable is captured: `op` is the node's operation, `infer` foresees its result.

    A node whose op has `writes` may return the written argument itself; an argument that is absent
    or None is not written.
    """

    op: Op
    infer: Infer


@record(frozen=True)
class Treatment:
    """Why a callable is not captured: how is "native" (runs as it is, by design) or "break"."""

    how: str
    code: str

    @property
    def reason(self) -> BreakReason:
        """The catalogue entry of `code`."""
        return reason(self.code)


RANDOM = Treatment("native", "DT204")
_CALLABLES: dict[int, tuple[Any, Record | Treatment]] = {}
_METHODS: dict[str, Record | Treatment] = {}
_SCALAR_METHODS: dict[str, Record] = {}
_ATTRIBUTES: dict[str, Record | Treatment] = {}
_SUBSCRIPTS: dict[int, Record] = {}
_OPERATORS: dict[tuple[str, bool], Record] = {}
_BOUND: dict[type, Callable[[Any], Record | Treatment | None]] = {}


def record_of(target: Any) -> Record | Treatment | None:
    """What is known of a callable, looked up by identity; None if nothing is."""
    entry = _CALLABLES.get(id(target))
    if entry is not None:
        return entry[1]
    rule = _BOUND.get(type(target))
    return rule(target) if rule is not None else None


def method(name: str, kind: Kind | None = None) -> Record | None:
    """The record of method `name`; the object, of `kind`, is the call's first argument.

    Without a kind, or for an array, it is ndarray's; NumPy scalars have records of their own.
    """
    if isinstance(kind, NumpyScalarKind):
        return _SCALAR_METHODS.get(name)
    found = _METHODS.get(name)
    return found if isinstance(found, Record) else None


def object_treatment(kind: type) -> Treatment | None:
    """Why methods of an object of exact type `kind` run natively, where NumPy made the object."""
    module = type.__dict__["__module__"].__get__(kind)
    return RANDOM if isinstance(module, str) and module.startswith("numpy.random") else None


def array_treatment(name: str) -> Treatment | None:
    """Why ndarray method or attribute `name` is not captured; None if it is, or is unknown."""
    found = _METHODS.get(name) or _ATTRIBUTES.get(name)
    return found if isinstance(found, Treatment) else None


def attribute(name: str) -> Record | None:
    """The record of reading ndarray attribute `name`; the object is the call's only argument."""
    found = _ATTRIBUTES.get(name)
    return found if isinstance(found, Record) else None


def operator_record(name: str, inplace: bool = False) -> Record:
    """The record of an operator: "add", "lt", "negative", "getitem", "setitem", …

    Raises KeyError for a name that is no operator.
    """
    return _OPERATORS[name, inplace]


def subscript_record(target: Any) -> Record | None:
    """The record of subscripting one of NumPy's index objects (`np.r_`, `np.mgrid`, …)."""
    return _SUBSCRIPTS.get(id(target))


def add_subscript(target: Any, record: Record) -> None:
    """Enter an index object, which lives as long as NumPy."""
    _SUBSCRIPTS[id(target)] = record


def add_callable(target: Any, found: Record | Treatment) -> None:
    """Enter `target`; a second entry for one object is a mistake in the tables."""
    if id(target) in _CALLABLES and _CALLABLES[id(target)][1] != found:
        raise ValueError(f"{target!r} is listed twice")
    _CALLABLES[id(target)] = (target, found)


def add_method(name: str, found: Record | Treatment) -> None:
    """Enter ndarray method `name`, and its descriptor as a callable."""
    _METHODS[name] = found
    descriptor = np.ndarray.__dict__.get(name)
    if isinstance(descriptor, (types.MethodDescriptorType, types.WrapperDescriptorType)):
        add_callable(descriptor, found)


def add_scalar_method(name: str, record: Record) -> None:
    """Enter method `name` of NumPy scalars."""
    _SCALAR_METHODS[name] = record


def add_attribute(name: str, found: Record | Treatment) -> None:
    """Enter ndarray attribute `name`."""
    _ATTRIBUTES[name] = found


def add_operator(name: str, inplace: bool, record: Record) -> None:
    """Enter an operator."""
    _OPERATORS[name, inplace] = record


def add_rule(kind: type, rule: Callable[[Any], Record | Treatment | None]) -> None:
    """Enter a rule for callables of exact type `kind` that stand in no table."""
    _BOUND[kind] = rule
