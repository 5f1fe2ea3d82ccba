"""Instructions of a loop that steer: branches, iteration, calls and returns.

Each handler gets the tracer, the frames with the innermost last, and the micro-op's argument. It
returns what ends the block, or None if the block goes on at the innermost frame's `at`. All other
micro-ops have the handlers of `trace.opcodes`. Read `trace.loops.callees` for calls that mean
something else in a loop.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from dyntrace.breaks import LOOP_ITERATOR, LOOP_LEFT
from dyntrace.graph import kinds
from dyntrace.graph.loop_graph import Branch, Finish
from dyntrace.trace.frame import Break, Frame
from dyntrace.trace.loops.callees import call_in_loop
from dyntrace.trace.loops.lists import get_item, iterator_over, set_item
from dyntrace.trace.loops.loop_frames import LoopFrame
from dyntrace.trace.loops.virtual import (
    LoopIterator,
    LoopRange,
    index_node,
    range_iterator,
)
from dyntrace.trace.opcodes.calls import callee_on_stack
from dyntrace.trace.opcodes.loads import load_attr
from dyntrace.trace.semantics.protocol import UNFOLDED, constant, truth, truth_value
from dyntrace.trace.values.base import Computed, Value

if TYPE_CHECKING:
    from dyntrace.trace.loops.loop_tracer import LoopTracer

__all__ = ["HANDLERS", "branch"]

Frames = list[LoopFrame]
Side = tuple[int, list[Value]]  # where a side of a branch goes on, and its stack


def branch(tracer: LoopTracer, frames: Frames, condition: Any, then: Side, otherwise: Side) -> Any:
    """End a block by a branch on `condition`, a node or a constant."""
    frame = frames[-1]
    ends = []
    for at, stack in (then, otherwise):
        frame.at, frame.stack = at, stack
        ends.append(tracer.go(frames))
    return Branch(condition, *ends)


def _condition(frame: Frame, value: Value) -> Any:
    """The truth value of `value`: a bool, or a node."""
    known = truth(frame, value)
    if known is not None:
        return known
    return frame.argument(truth_value(frame, value))


def _pop_jump_if(tracer: LoopTracer, frames: Frames, arg: tuple[str, int]) -> Any:
    wanted, target = arg
    frame = frames[-1]
    value = frame.pop()
    if wanted not in ("true", "false"):
        known = constant(frame, value)
        if known is UNFOLDED and not isinstance(frame.assume(value), kinds.NUMERIC_KINDS):
            raise Break(LOOP_ITERATOR)
        frame.at = target if (known is None) is (wanted == "none") else frame.at
        return None
    found = _condition(frame, value)
    if isinstance(found, bool):
        frame.at = target if found is (wanted == "true") else frame.at
        return None
    jumps, falls = (target, [*frame.stack]), (frame.at, [*frame.stack])
    sides = (jumps, falls) if wanted == "true" else (falls, jumps)
    return branch(tracer, frames, found, *sides)


def _jump_if_or_pop(tracer: LoopTracer, frames: Frames, arg: tuple[bool, int]) -> Any:
    wanted, target = arg
    frame = frames[-1]
    found = _condition(frame, frame.stack[-1])
    jumps, falls = (target, [*frame.stack]), (frame.at, frame.stack[:-1])
    if isinstance(found, bool):
        frame.at, frame.stack = jumps if found is wanted else falls
        return None
    sides = (jumps, falls) if wanted else (falls, jumps)
    return branch(tracer, frames, found, *sides)


def _get_iter(tracer: LoopTracer, frames: Frames, arg: Any) -> None:
    frame = frames[-1]
    value = frame.pop()
    if isinstance(value, LoopRange):
        value = range_iterator(frame, value)
    elif not isinstance(value, LoopIterator):
        found = iterator_over(frame, value)
        if found is None:
            raise Break(LOOP_ITERATOR, kinds.type_name(value.kind))
        value = found
    frame.push(value)


def _for_iter(tracer: LoopTracer, frames: Frames, arg: int) -> Any:
    frame = frames[-1]
    iterator = frame.stack[-1]
    if not isinstance(iterator, LoopIterator):
        raise Break(LOOP_ITERATOR, kinds.type_name(iterator.kind))
    more, item, rest = iterator.advance(frame)  # type: ignore[attr-defined]
    below = frame.stack[:-1]
    body: Side = (frame.at, [*below, rest, item])
    if len(frames) == 1 and frame.at - 1 == tracer.site.head:
        frame.at, frame.stack = body
        end = tracer.go(frames)
        return Branch(more, end, Finish())
    return branch(tracer, frames, more, body, (arg, below))


def _call(tracer: LoopTracer, frames: Frames, arg: tuple[int, tuple[str, ...]]) -> Any:
    frame = frames[-1]
    count, names = arg
    values = frame.pop_many(count)
    callee, first = callee_on_stack(frame)
    split = count - len(names)
    kwargs = dict(zip(names, values[split:], strict=True))
    return call_in_loop(frames, callee, [*first, *values[:split]], kwargs)


def _load_attr(tracer: LoopTracer, frames: Frames, arg: str) -> Any:
    """The parts of a complex number have nodes of their own; other attributes are as elsewhere."""
    frame = frames[-1]
    kind = frame.stack[-1].kind
    is_complex = isinstance(kind, kinds.PythonScalarKind) and kind.type is complex
    if is_complex and arg in ("real", "imag"):
        value = frame.pop()
        frame.assume(value)
        part = kinds.PythonScalarKind(float)
        node = index_node(frame, arg, frame.argument(value), kind=part)
        frame.push(Computed(node))
    else:
        load_attr(frame, arg)
    return None


def _binary_subscr(tracer: LoopTracer, frames: Frames, arg: Any) -> None:
    frame = frames[-1]
    index, container = frame.pop(), frame.pop()
    frame.push(get_item(frame, container, index))


def _store_subscr(tracer: LoopTracer, frames: Frames, arg: Any) -> None:
    frame = frames[-1]
    index, container, value = frame.pop(), frame.pop(), frame.pop()
    set_item(frame, container, index, value)


def _return_value(tracer: LoopTracer, frames: Frames, arg: Any) -> Any:
    if len(frames) == 1:
        raise Break(LOOP_LEFT)
    result = frames.pop().pop()
    frames[-1].push(result)
    return None


HANDLERS: Mapping[str, Callable[[LoopTracer, Frames, Any], Any]] = MappingProxyType(
    {
        "POP_JUMP_IF": _pop_jump_if,
        "JUMP_IF_OR_POP": _jump_if_or_pop,
        "GET_ITER": _get_iter,
        "FOR_ITER": _for_iter,
        "CALL": _call,
        "LOAD_ATTR": _load_attr,
        "BINARY_SUBSCR": _binary_subscr,
        "STORE_SUBSCR": _store_subscr,
        "RETURN_VALUE": _return_value,
    }
)
