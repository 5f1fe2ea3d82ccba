"""The registry: one record per NumPy function, method, attribute and operator.

A record has the operation that eager runs (`op`) and the inference of its result (`infer`). A
treatment says why a callable has no record. Invariant: `op.target` on real operands equals the
eager call, and unless `op.exact` a wrong `infer` only costs a deopt. Entries are made at import;
most records are built when they are first looked up. The modules of `ops.numpy` and `ops.python`
enter one family each; `ops.probe` is the default inference, and `ops.listing` prints the entries.
Read `ops.numpy.functions` next.
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
    """How one callable is captured: `op` is the node's operation, `infer` gives the result's kind.

    A node whose op has `writes` may return the written argument. An argument that is absent or None
    is not written.
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
    """Entries by key; an entry that is a `partial` builds its record at the first look-up."""

    __slots__ = ("_made",)

    def __init__(self) -> None:
        super().__init__()
        self._made: dict[Any, Record] = {}

    def find(self, key: Any) -> Any:
        """The record or treatment of `key`, always the same object; None if there is none."""
        found = self.get(key)
        if type(found) is partial:
            made = self._made.get(key)
            found = self._made.setdefault(key, found()) if made is None else made
        return found

    def is_open(self) -> bool:
        """Whether this thread is entering the functions of a module that was imported later."""
        return getattr(_LATE, "is_filling", False)


RANDOM = Treatment("native", breaks.RANDOM_DRAW.code)
_CALLABLES, _METHODS, _SCALAR_METHODS, _ATTRIBUTES = _Table(), _Table(), _Table(), _Table()
_SUBSCRIPTS, _OPERATORS = _Table(), _Table()
_KEPT_ALIVE = _Table()  # the objects whose ids are the keys of `_CALLABLES`
_RULES: Registry[type, Callable[[Any], Record | Treatment | None]] = Registry()
_NOT_IMPORTED: dict[str, Callable[[], None]] = {}
_LATE = threading.local()


def freeze() -> None:
    """Refuse further entries, except those of modules that are imported later."""
    tables = (_CALLABLES, _METHODS, _SCALAR_METHODS, _ATTRIBUTES, _SUBSCRIPTS, _OPERATORS)
    for table in (*tables, _KEPT_ALIVE, _RULES):
        table.freeze()


def record_of(target: Any) -> Record | Treatment | None:
    """The record or treatment of a callable, looked up by identity; None if there is none."""
    if _NOT_IMPORTED:
        _fill_tables()
    found: Record | Treatment | None = _CALLABLES.find(id(target))
    return found if found is not None else _by_rule(target)


def _by_rule(target: Any) -> Record | Treatment | None:
    rule = _RULES.get(type(target))
    return rule(target) if rule is not None else None


def _fill_tables() -> None:
    """Enter the functions of modules that the program has imported since the last call."""
    for name in _NOT_IMPORTED.keys() & sys.modules.keys():
        _LATE.is_filling = True
        try:
            _NOT_IMPORTED[name]()
        finally:
            _LATE.is_filling = False
        _NOT_IMPORTED.pop(name, None)


def method(name: str, kind: Kind | None = None) -> Record | None:
    """The record of method `name`; the object, of `kind`, is the call's first argument.

    Without a kind, or for an array, it is ndarray's method; for a NumPy scalar, the scalar's.
    """
    if isinstance(kind, NumpyScalarKind):
        scalars: Record | None = _SCALAR_METHODS.find(name)
        return scalars
    found = _METHODS.find(name)
    return found if isinstance(found, Record) else None


def object_treatment(kind: type) -> Treatment | None:
    """Why methods of an object of exact type `kind` run natively; None if that is not known."""
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
    _NOT_IMPORTED[module] = fill


def add_subscript(target: Any, record: Record | partial[Record]) -> None:
    """Enter an index object; NumPy keeps it alive, so its id stays valid."""
    _SUBSCRIPTS[id(target)] = record


def add_callable(target: Any, found: Entry) -> None:
    """Enter `target`; raises ValueError for a second, different entry."""
    if _CALLABLES.get(id(target), found) != found:
        raise ValueError(f"{target!r} is listed twice")
    _CALLABLES[id(target)] = found
    _KEPT_ALIVE[id(target)] = target


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
    """Enter a rule for callables of exact type `kind` that are in no table."""
    _RULES[kind] = rule
