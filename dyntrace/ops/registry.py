"""The registry: one record per NumPy function, method, attribute and operator.

A record says what eager runs (`op`) and how to foresee the result (`infer`); a treatment says why a
callable has no record. The tracer asks `record_of`, `method`, `attribute` and `operator_record` and
nothing else. A record is a promise: running `op.target` on real operands equals the eager call, and
a wrong `infer` can only cost a deopt (unless `op.exact`). What has a record is decided at import;
most records are made when they are first asked for. The tables are in the sibling modules, one
family each; `ops.probe` is the default inference, `ops.listing` prints what is here.
"""

from __future__ import annotations

import sys
import threading
import types
from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np

from dyntrace import breaks
from dyntrace.breaks import BreakReason, reason
from dyntrace.graph.kinds import Kind, NumpyScalarKind
from dyntrace.graph.node import Op
from dyntrace.ops.call import NumpyCall, Operand, Refused, Sample
from dyntrace.record import record
from dyntrace.registries import Registry

__all__ = [
    "NumpyCall",
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

Infer = Callable[[NumpyCall], Kind]


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


Entry = Record | Treatment | partial[Record]


class _Table(Registry[Any, Any]):
    """Entries by key; one that is the call which makes a record is made when first asked for."""

    __slots__ = ("_made",)

    def __init__(self) -> None:
        super().__init__()
        self._made: dict[Any, Record] = {}

    def find(self, key: Any) -> Any:
        """The record or treatment of `key`, the same for all that ask; None if there is none."""
        found = self.get(key)
        if type(found) is partial:
            made = self._made.get(key)
            found = self._made.setdefault(key, found()) if made is None else made
        return found

    def is_open(self) -> bool:
        """While the functions of a module that was imported later are entered."""
        return getattr(_LATE, "is_filling", False)


RANDOM = Treatment("native", breaks.RANDOM_DRAW.code)
_CALLABLES, _METHODS, _SCALAR_METHODS, _ATTRIBUTES = _Table(), _Table(), _Table(), _Table()
_SUBSCRIPTS, _OPERATORS = _Table(), _Table()
_HELD = _Table()  # what `_CALLABLES` has, by the same key
_BOUND: Registry[type, Callable[[Any], Record | Treatment | None]] = Registry()
_ABSENT: dict[str, Callable[[], None]] = {}
_LATE = threading.local()


def freeze() -> None:
    """Refuse entries from now on, but for those of modules that are imported later."""
    tables = (_CALLABLES, _METHODS, _SCALAR_METHODS, _ATTRIBUTES, _SUBSCRIPTS, _OPERATORS)
    for table in (*tables, _HELD, _BOUND):
        table.freeze()


def record_of(target: Any) -> Record | Treatment | None:
    """What is known of a callable, looked up by identity; None if nothing is."""
    if _ABSENT:
        _fill_tables()
    found: Record | Treatment | None = _CALLABLES.find(id(target))
    return found if found is not None else _by_rule(target)


def _by_rule(target: Any) -> Record | Treatment | None:
    rule = _BOUND.get(type(target))
    return rule(target) if rule is not None else None


def _fill_tables() -> None:
    """Enter the functions of modules that the program has imported since this was done last."""
    for name in _ABSENT.keys() & sys.modules.keys():
        _LATE.is_filling = True
        try:
            _ABSENT[name]()
        finally:
            _LATE.is_filling = False
        _ABSENT.pop(name, None)


def method(name: str, kind: Kind | None = None) -> Record | None:
    """The record of method `name`; the object, of `kind`, is the call's first argument.

    Without a kind, or for an array, it is ndarray's; NumPy scalars have records of their own.
    """
    if isinstance(kind, NumpyScalarKind):
        scalars: Record | None = _SCALAR_METHODS.find(name)
        return scalars
    found = _METHODS.find(name)
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
    found = _ATTRIBUTES.find(name)
    return found if isinstance(found, Record) else None


def operator_record(name: str, inplace: bool = False) -> Record:
    """The record of an operator: "add", "lt", "negative", "getitem", "setitem", …

    Raises KeyError for a name that is no operator.
    """
    found: Record | None = _OPERATORS.find((name, inplace))
    if found is None:
        raise KeyError(name)
    return found


def subscript_record(target: Any) -> Record | None:
    """The record of subscripting one of NumPy's index objects (`np.r_`, `np.mgrid`, …)."""
    found: Record | None = _SUBSCRIPTS.find(id(target))
    return found


def is_listed(target: Any) -> bool:
    """Whether a table has an entry for `target`, or a rule covers it."""
    return id(target) in _CALLABLES or _by_rule(target) is not None


def when_imported(module: str, fill: Callable[[], None]) -> None:
    """Call `fill` once the program has imported `module`; it may be called twice."""
    _ABSENT[module] = fill


def add_subscript(target: Any, record: Record | partial[Record]) -> None:
    """Enter an index object, which lives as long as NumPy."""
    _SUBSCRIPTS[id(target)] = record


def add_callable(target: Any, found: Entry) -> None:
    """Enter `target`; a second entry for one object is a mistake in the tables."""
    if _CALLABLES.get(id(target), found) != found:
        raise ValueError(f"{target!r} is listed twice")
    _CALLABLES[id(target)] = found
    _HELD[id(target)] = target


def add_method(name: str, found: Entry) -> None:
    """Enter ndarray method `name`, and its descriptor as a callable."""
    _METHODS[name] = found
    descriptor = np.ndarray.__dict__.get(name)
    if isinstance(descriptor, (types.MethodDescriptorType, types.WrapperDescriptorType)):
        late = type(found) is partial
        add_callable(descriptor, partial(_METHODS.find, name) if late else found)


def add_scalar_method(name: str, record: Record | partial[Record]) -> None:
    """Enter method `name` of NumPy scalars."""
    _SCALAR_METHODS[name] = record


def add_attribute(name: str, found: Entry) -> None:
    """Enter ndarray attribute `name`."""
    _ATTRIBUTES[name] = found


def add_operator(name: str, inplace: bool, record: Record | partial[Record]) -> None:
    """Enter an operator."""
    _OPERATORS[name, inplace] = record


def add_rule(kind: type, rule: Callable[[Any], Record | Treatment | None]) -> None:
    """Enter a rule for callables of exact type `kind` that stand in no table."""
    _BOUND[kind] = rule
