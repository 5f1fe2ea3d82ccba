"""Methods of lists, tuples and dicts, one rule each, registered by `method`.

Invariant: only a list or dict that the region builds is changed. Changing one from outside breaks,
because other code can see it. Read `trace.semantics.changes` for how a change is undone.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

from dyntrace.breaks import ATTRIBUTE_STORE
from dyntrace.graph import kinds
from dyntrace.graph.kinds import DictKind, SequenceKind
from dyntrace.registries import Registry
from dyntrace.trace.frame import Break, Frame
from dyntrace.trace.semantics.changes import extend_list, replace_items, set_pair, stored
from dyntrace.trace.semantics.operands import read_value
from dyntrace.trace.semantics.protocol import unpack, unsupported
from dyntrace.trace.values.base import Constant, Outside, Value
from dyntrace.trace.values.containers import DictValue, ListValue, TupleValue

__all__ = ["rule_for"]

Rule = Callable[[Frame, Any, list[Value], dict[str, Value]], Value]
_RULES: Registry[tuple[type[Value], str], Rule] = Registry()
_MUTATORS = frozenset(
    "append extend insert pop remove clear sort reverse update setdefault popitem".split()
)


def method(owner: type[Value], name: str) -> Callable[[Rule], Rule]:
    def add(rule: Rule) -> Rule:
        _RULES[owner, name] = rule
        return rule

    return add


def rule_for(value: Value, name: str) -> Rule | None:
    """The rule for method `name` of a container; None if there is none."""
    rule = _RULES.get((type(value), name))
    if rule is not None:
        return rule
    if isinstance(value, Outside) and name in _MUTATORS and isinstance(value.kind, _CONTAINERS):
        return partial(_refuse_change, name)
    return _of_outside(value, name)


def _refuse_change(
    name: str, frame: Frame, value: Value, args: list[Value], kwargs: dict[str, Value]
) -> Value:
    raise Break(ATTRIBUTE_STORE, f"{kinds.type_name(value.kind)}.{name}")


def _of_outside(value: Value, name: str) -> Rule | None:
    return _RULES.get((DictValue, name)) if isinstance(value, Outside) and name in _READS else None


_CONTAINERS = (SequenceKind, DictKind)
_READS = frozenset("get keys values items".split())


@method(ListValue, "append")
def append(frame: Frame, value: Any, args: list[Value], kwargs: dict[str, Value]) -> Value:
    if len(args) != 1 or kwargs:
        raise unsupported(*args)
    extend_list(frame, value, [stored(args[0])])
    return Constant(None)


@method(ListValue, "extend")
def extend(frame: Frame, value: Any, args: list[Value], kwargs: dict[str, Value]) -> Value:
    if len(args) != 1 or kwargs:
        raise unsupported(*args)
    extend_list(frame, value, [stored(item) for item in unpack(frame, args[0])])
    return Constant(None)


@method(ListValue, "pop")
def pop(frame: Frame, value: Any, args: list[Value], kwargs: dict[str, Value]) -> Value:
    position = read_value(frame, args[0]) if args else -1
    if type(position) is not int or not -len(value.items) <= position < len(value.items):
        raise unsupported(*args)
    items = [*value.items]
    taken: Value = items.pop(position)
    replace_items(frame, value, items)
    return taken


def _pairs(frame: Frame, value: Value) -> dict[Any, Value]:
    pairs = frame.pairs_of(value)
    if pairs is None:
        raise unsupported(value)
    return pairs


@method(DictValue, "get")
def get(frame: Frame, value: Any, args: list[Value], kwargs: dict[str, Value]) -> Value:
    pairs = _pairs(frame, value)
    key = read_value(frame, args[0]) if args else None
    if type(key) not in (str, int):
        raise unsupported(*args)
    if key in pairs:
        return pairs[key]
    if isinstance(value, Outside) or len(args) > 2 or kwargs:
        raise unsupported(value)
    return args[1] if len(args) == 2 else Constant(None)


@method(DictValue, "update")
def update(frame: Frame, value: Any, args: list[Value], kwargs: dict[str, Value]) -> Value:
    if len(args) > 1:
        raise unsupported(*args)
    for key, item in {**(_pairs(frame, args[0]) if args else {}), **kwargs}.items():
        set_pair(frame, value, key, item)
    return Constant(None)


@method(TupleValue, "index")
def index(frame: Frame, value: Any, args: list[Value], kwargs: dict[str, Value]) -> Value:
    raise unsupported(value)


_RULES.freeze()
