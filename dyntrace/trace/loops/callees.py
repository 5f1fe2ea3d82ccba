"""Calls inside an iteration: the user's functions with their branches and loops, and iterators.

A function is entered: its frame goes on top, and its blocks belong to the loop. Built-ins that make
ranges and iterators give values that exist only in machine code. All other calls are those of
`trace.semantics.calling`. Invariant: what a call relies on is guarded. Read `trace.loops.steering`,
the user, next.
"""

from __future__ import annotations

import builtins
import types
from collections.abc import Callable
from typing import Any

from dyntrace.breaks import LOOP_ITERATOR, NOT_INLINED
from dyntrace.errors import AssemblyError
from dyntrace.graph import kinds
from dyntrace.graph.kinds import NumpyScalarKind, PythonScalarKind
from dyntrace.graph.node import Op
from dyntrace.ops.registry import Record
from dyntrace.registries import Registry
from dyntrace.trace.frame import Break, Frame
from dyntrace.trace.loops.lists import iterator_over, length_of
from dyntrace.trace.loops.loop_frames import LoopFrame, facts_of
from dyntrace.trace.loops.virtual import (
    LoopEnumerate,
    LoopIterator,
    LoopRange,
    LoopZip,
    index_node,
    range_iterator,
    reversed_range,
)
from dyntrace.trace.semantics import calling
from dyntrace.trace.semantics.builtin_calls import rule_for
from dyntrace.trace.semantics.inline import bind, callee_of, check_depth, frame_of
from dyntrace.trace.semantics.protocol import UNFOLDED, constant, unsupported
from dyntrace.trace.values.base import Computed, Constant, Outside, Value
from dyntrace.trace.values.callables import BoundFunction

__all__ = ["call_in_loop"]

Rule = Callable[[Frame, list[Value]], Value]
RULES: Registry[int, Rule] = Registry()


def _rule(target: Any) -> Callable[[Rule], Rule]:
    def add(function: Rule) -> Rule:
        RULES[id(target)] = function
        return function

    return add


def call_in_loop(
    frames: list[LoopFrame], callee: Value, args: list[Value], kwargs: dict[str, Value]
) -> None:
    """`callee(*args, **kwargs)`: push its result, or the frame of its call."""
    frame = frames[-1]
    if isinstance(callee, BoundFunction):
        return call_in_loop(frames, callee.function, [callee.self, *args], kwargs)
    if isinstance(callee, Outside) and isinstance(callee.expected, kinds.FunctionKind):
        frames.append(_entered(frame, callee, args, kwargs))
        return None
    target = constant(frame, callee)
    rule = RULES.get(id(target)) if not kwargs else None
    if rule is not None:
        frame.push(rule(frame, args))
    elif isinstance(callee, Outside) and _is_function(target):
        frames.append(_entered(frame, callee, args, kwargs))
    else:
        frame.push(calling.call(frame, callee, args, kwargs))
    return None


def _is_function(target: Any) -> bool:
    return target is not UNFOLDED and type(target) is types.FunctionType and not rule_for(target)


def _entered(
    frame: LoopFrame, value: Outside, args: list[Value], kwargs: dict[str, Value]
) -> LoopFrame:
    """The frame of a call of the user's function `value`."""
    callee = callee_of(frame, value)
    check_depth(frame, callee)
    try:
        facts = facts_of(callee.code)
    except AssemblyError:
        raise Break(NOT_INLINED, callee.name) from None
    inner = frame_of(frame, facts.facts.body, callee)
    assert isinstance(inner, LoopFrame)
    inner.facts, inner.at = facts, facts.facts.first
    bind(inner, callee, args, kwargs)
    return inner


def _index(frame: Frame, value: Value) -> Value:
    """`operator.index(value)`, for a number."""
    kind = frame.assume(value)
    if isinstance(kind, PythonScalarKind) and kind.type is int:
        return value
    if isinstance(kind, NumpyScalarKind) and kind.dtype.kind in "iu":
        return Computed(index_node(frame, "add", frame.argument(value), 0))
    raise unsupported(value)


@_rule(builtins.range)
def _range(frame: Frame, args: list[Value]) -> Value:
    if not 1 <= len(args) <= 3:
        raise unsupported(*args)
    parts = [_index(frame, arg) for arg in args]
    if len(parts) == 1:
        return LoopRange(Constant(0), parts[0], Constant(1))
    return LoopRange(parts[0], parts[1], parts[2] if len(parts) == 3 else Constant(1))


def _iterator(frame: Frame, value: Value) -> LoopIterator:
    """`iter(value)`, for what machine code can iterate over."""
    if isinstance(value, LoopRange):
        return range_iterator(frame, value)
    if isinstance(value, LoopIterator):
        return value
    found = iterator_over(frame, value)
    if found is None:
        raise Break(LOOP_ITERATOR, kinds.type_name(value.kind))
    return found


@_rule(builtins.len)
def _len(frame: Frame, args: list[Value]) -> Value:
    found = length_of(frame, args[0]) if len(args) == 1 else None
    return calling.call(frame, Constant(builtins.len), args, {}) if found is None else found


@_rule(builtins.enumerate)
def _enumerate(frame: Frame, args: list[Value]) -> Value:
    if not 1 <= len(args) <= 2:
        raise unsupported(*args)
    start = _index(frame, args[1]) if len(args) == 2 else Constant(0)
    return LoopEnumerate(_iterator(frame, args[0]), start)


@_rule(builtins.zip)
def _zip(frame: Frame, args: list[Value]) -> Value:
    if not args:
        raise unsupported(*args)
    return LoopZip(tuple(_iterator(frame, arg) for arg in args))


@_rule(builtins.reversed)
def _reversed(frame: Frame, args: list[Value]) -> Value:
    if len(args) != 1 or not isinstance(args[0], LoopRange):
        raise Break(LOOP_ITERATOR, "reversed")
    return reversed_range(frame, args[0])


def _no_target(*args: Any) -> Any:
    raise AssertionError("a choice exists in machine code only")


_LEAST = Op("loop.least", _no_target, "index", exact=True)
_GREATEST = Op("loop.greatest", _no_target, "index", exact=True)


def _choose(frame: Frame, args: list[Value], least: bool) -> Value:
    """`min` or `max` of numbers of one kind: the first of those that no other is beyond."""
    found = set(map(_number_kind, map(frame.assume, args)))
    if len(args) < 2 or len(found) != 1 or None in found:
        target = builtins.min if least else builtins.max
        return calling.call(frame, Constant(target), args, {})
    kind = next(iter(found))
    assert kind is not None
    return frame.compute(Record(_LEAST if least else _GREATEST, lambda call: kind), args)


def _number_kind(kind: kinds.Kind) -> kinds.Kind | None:
    if isinstance(kind, PythonScalarKind) and kind.type is not complex:
        return PythonScalarKind(kind.type)
    if isinstance(kind, NumpyScalarKind) and kind.dtype.kind in "iuf":
        return kind
    return None


@_rule(builtins.min)
def _min(frame: Frame, args: list[Value]) -> Value:
    return _choose(frame, args, True)


@_rule(builtins.max)
def _max(frame: Frame, args: list[Value]) -> Value:
    return _choose(frame, args, False)


RULES.freeze()
