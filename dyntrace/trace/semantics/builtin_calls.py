"""Calls of Python's pure built-ins on symbolic values: one rule each, registered by `rule`.

A rule computes what kinds and constants determine; for the rest it adds a node or breaks. Built-ins
on numbers (`abs`, `round`, `float`, …) have records in `dyntrace.ops` instead, and the rule of
`getattr` is in `trace.semantics.attributes`. Invariant: a rule guards what it relies on. Read
`trace.semantics.calling`, which looks rules up, next.
"""

from __future__ import annotations

import builtins
import functools
from collections.abc import Callable
from typing import Any

import numpy as np

from dyntrace.breaks import LOOP_INSIDE_INLINED, OPAQUE_CALL, STATE_DEPENDENT
from dyntrace.graph import kinds
from dyntrace.graph.identity import lasts
from dyntrace.graph.instances import MISSING, class_lookup
from dyntrace.ops.registry import Refused, attribute, operator_record
from dyntrace.registries import Registry
from dyntrace.trace.frame import Break, Flush, Frame
from dyntrace.trace.semantics.changes import new_list, new_tuple, set_pair
from dyntrace.trace.semantics.iteration import IteratorKind, item_kind
from dyntrace.trace.semantics.operands import read_value
from dyntrace.trace.semantics.protocol import UNFOLDED, constant, get_item, iterate, unsupported
from dyntrace.trace.sources import TypeOf
from dyntrace.trace.values.base import Computed, Constant, Outside, Value
from dyntrace.trace.values.containers import (
    DictValue,
    IteratorValue,
    SliceValue,
    TupleValue,
)

__all__ = ["rule", "rule_for"]

Rule = Callable[[Frame, list[Value], dict[str, Value]], Value]
RULES: Registry[int, Rule] = Registry()
MAX_RANGE = 32


def rule(target: Any) -> Callable[[Rule], Rule]:
    def add(function: Rule) -> Rule:
        RULES[id(target)] = function
        return function

    return add


def rule_for(target: Any) -> Rule | None:
    """The rule for the built-in `target`, if it has one."""
    return RULES.get(id(target))


def _check_arguments(args: list[Value], kwargs: dict[str, Value], least: int, most: int) -> None:
    if kwargs or not least <= len(args) <= most:
        raise unsupported(*args)


@rule(builtins.len)
def length(frame: Frame, args: list[Value], kwargs: dict[str, Value]) -> Value:
    _check_arguments(args, kwargs, 1, 1)
    kind = frame.assume(args[0])
    if isinstance(kind, kinds.ArrayKind) and kind.ndim > 0:
        record = attribute("shape")
        if record is None:
            raise Break(OPAQUE_CALL, "len")
        return get_item(frame, frame.compute(record, args), Constant(0))
    items = frame.items_of(args[0])
    if items is not None:
        return Constant(len(items))
    if isinstance(args[0], DictValue):
        return Constant(len(args[0].items))
    if isinstance(args[0], Computed) and isinstance(kind, kinds.SequenceKind):
        return Constant(len(kind.items))
    raise unsupported(*args)


def exact_type(frame: Frame, value: Value) -> type | None:
    """The exact type of `value`, guarded; None if its kind does not tell."""
    kind = frame.assume(value)
    match kind:
        case kinds.ArrayKind():
            return np.ndarray
        case kinds.NumpyScalarKind(dtype=dtype):
            return dtype.type
        case kinds.StringKind():
            return str
        case kinds.KnownKind(value=known):
            return type(known)
        case kinds.DictKind():
            return dict
        case kinds.SliceKind():
            return slice
    found = getattr(kind, "type", None)
    return found if isinstance(found, type) else None


@rule(builtins.isinstance)
def is_instance(frame: Frame, args: list[Value], kwargs: dict[str, Value]) -> Value:
    _check_arguments(args, kwargs, 2, 2)
    cls = exact_type(frame, args[0])
    wanted = _classes(frame, args[1])
    if cls is None or not wanted:
        raise unsupported(*args)
    found = any(issubclass(cls, base) for base in wanted)
    if cls not in wanted and _may_claim_a_class(args[0].kind, cls):
        raise unsupported(*args)
    return Constant(found)


def _may_claim_a_class(kind: kinds.Kind, cls: type) -> bool:
    """Whether the object's `__class__` may be another class than its type, as in mocks, proxies."""
    if isinstance(kind, kinds.InstanceKind):
        return class_lookup(cls, "__class__") is not object.__dict__["__class__"]
    return isinstance(kind, kinds.ObjectKind) and cls is not np.ndarray


def _classes(frame: Frame, value: Value) -> list[type]:
    """The second argument of `isinstance` as a list of classes.

    The list is empty if one of them may define `__instancecheck__`, by a metaclass, or is no class.
    """
    items = frame.items_of(value)
    if items is not None and exact_type(frame, value) is not tuple:
        return []  # isinstance raises TypeError for a list
    found = []
    for item in [value] if items is None else items:
        known = constant(frame, item)
        if not isinstance(known, type) or type(known) is not type:
            return []
        found.append(known)
    return found


@rule(builtins.type)
def type_call(frame: Frame, args: list[Value], kwargs: dict[str, Value]) -> Value:
    _check_arguments(args, kwargs, 1, 1)
    cls = exact_type(frame, args[0])
    if cls is None:
        raise unsupported(*args)
    if lasts(cls):
        return Constant(cls)
    if not isinstance(args[0], Outside):
        raise unsupported(*args)
    return Outside(TypeOf(args[0].source), kinds.KnownKind(cls))


@rule(builtins.slice)
def slice_call(frame: Frame, args: list[Value], kwargs: dict[str, Value]) -> Value:
    _check_arguments(args, kwargs, 1, 3)
    none = Constant(None)
    if len(args) == 1:
        return SliceValue(none, args[0], none)
    return SliceValue(args[0], args[1], args[2] if len(args) == 3 else none)


@rule(builtins.tuple)
def tuple_call(frame: Frame, args: list[Value], kwargs: dict[str, Value]) -> Value:
    _check_arguments(args, kwargs, 0, 1)
    if args and getattr(frame.assume(args[0]), "type", None) is tuple:
        return args[0]
    return new_tuple(iterate(frame, args[0]) if args else ())


@rule(builtins.list)
def list_call(frame: Frame, args: list[Value], kwargs: dict[str, Value]) -> Value:
    _check_arguments(args, kwargs, 0, 1)
    return new_list(iterate(frame, args[0]) if args else ())


@rule(builtins.dict)
def dict_call(frame: Frame, args: list[Value], kwargs: dict[str, Value]) -> Value:
    if args:
        raise unsupported(*args)
    made = DictValue({})
    for key, value in kwargs.items():
        set_pair(frame, made, key, value)
    return made


@rule(builtins.range)
def range_call(frame: Frame, args: list[Value], kwargs: dict[str, Value]) -> Value:
    """A short range is a constant to unroll in an inlined body; elsewhere CPython runs the loop."""
    _check_arguments(args, kwargs, 1, 3)
    if not frame.depth:
        raise Flush(IteratorKind(kinds.PythonScalarKind(int)))
    try:
        numbers = range(*(read_value(frame, arg) for arg in args))
    except (Refused, TypeError, ValueError):
        raise unsupported(*args) from None
    if len(numbers) > MAX_RANGE:
        raise Break(LOOP_INSIDE_INLINED)
    return Constant(numbers)


@rule(builtins.enumerate)
def enumerate_call(frame: Frame, args: list[Value], kwargs: dict[str, Value]) -> Value:
    _check_arguments(args, kwargs, 1, 1)
    if not frame.depth:
        pair = (kinds.PythonScalarKind(int), item_kind(args[0].kind))
        raise Flush(IteratorKind(kinds.SequenceKind(tuple, pair)))
    pairs = enumerate(iterate(frame, args[0]))
    return IteratorValue(TupleValue((Constant(index), item)) for index, item in pairs)


@rule(builtins.zip)
def zip_call(frame: Frame, args: list[Value], kwargs: dict[str, Value]) -> Value:
    _check_arguments(args, kwargs, 1, 8)
    if not frame.depth:
        items = tuple(item_kind(arg.kind) for arg in args)
        raise Flush(IteratorKind(kinds.SequenceKind(tuple, items)))
    columns = [iterate(frame, arg) for arg in args]
    return IteratorValue(TupleValue(row) for row in zip(*columns, strict=False))


@rule(builtins.callable)
def callable_call(frame: Frame, args: list[Value], kwargs: dict[str, Value]) -> Value:
    _check_arguments(args, kwargs, 1, 1)
    known = constant(frame, args[0])
    if known is not UNFOLDED:
        return Constant(callable(known))
    cls = exact_type(frame, args[0])
    if cls is None or isinstance(args[0].kind, kinds.ObjectKind):
        raise unsupported(*args)  # no guard would notice a change of such a class
    return Constant(class_lookup(cls, "__call__") is not MISSING)


@rule(builtins.sum)
def sum_call(frame: Frame, args: list[Value], kwargs: dict[str, Value]) -> Value:
    """`sum` of items that the trace has one by one: additions from left to right, from 0 on."""
    _check_arguments(args, kwargs, 1, 2)
    if frame.items_of(args[0]) is None and not isinstance(args[0], IteratorValue):
        raise unsupported(*args)
    total = args[1] if len(args) == 2 else Constant(0)
    for item in iterate(frame, args[0]):
        total = frame.compute(operator_record("add"), [total, item])
    return total


@rule(builtins.globals)
def globals_call(frame: Frame, args: list[Value], kwargs: dict[str, Value]) -> Value:
    raise Break(STATE_DEPENDENT, "globals")


@rule(functools.partial)
def partial_call(frame: Frame, args: list[Value], kwargs: dict[str, Value]) -> Value:
    raise Break(OPAQUE_CALL, "functools.partial")
