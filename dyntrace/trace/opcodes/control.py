"""Handlers of jumps, branches, loops and returns.

Invariant: in the function being compiled, CPython runs the loops, and the branches that constants
and kinds do not decide: these instructions end the region. In an inlined body such a branch is a
break, and a loop over a few items that the trace knows is unrolled. Read
`trace.semantics.iteration` for the kinds of a loop's items.
"""

from __future__ import annotations

from typing import Any

from dyntrace.breaks import BRANCH_ON_DATA, LOOP_INSIDE_INLINED, BreakReason, reason
from dyntrace.graph.kinds import NUMERIC_KINDS
from dyntrace.trace.frame import Break, Flush, Frame
from dyntrace.trace.semantics.iteration import IteratorKind, item_kind
from dyntrace.trace.semantics.protocol import UNFOLDED, constant, iterate, truth
from dyntrace.trace.stepping import opcode
from dyntrace.trace.values.base import Computed, Value
from dyntrace.trace.values.containers import DictValue, IteratorValue, ListValue, TupleValue


@opcode("RESUME")
def resume(frame: Frame, arg: Any) -> None:
    return


@opcode("JUMP")
def jump(frame: Frame, arg: int) -> int:
    return arg


@opcode("JUMP_BACKWARD")
def jump_backward(frame: Frame, arg: int) -> int:
    return arg


@opcode("POP_JUMP_IF")
def pop_jump_if(frame: Frame, arg: tuple[str, int]) -> int | None:
    condition, target = arg
    taken = _decide(frame, condition, frame.pop())
    return target if taken else None


def _decide(frame: Frame, condition: str, value: Value) -> bool:
    if condition in ("true", "false"):
        known = truth(frame, value)
        if known is None:
            raise _undecided(value)
        return known is (condition == "true")
    known_value = constant(frame, value)
    if known_value is UNFOLDED and not isinstance(value.kind, NUMERIC_KINDS):
        raise _undecided(value)
    if known_value is UNFOLDED:
        frame.assume(value)
    return (known_value is None) is (condition == "none")


def _undecided(value: Value) -> Flush:
    if isinstance(value, Computed):
        return Break(BRANCH_ON_DATA)
    return Flush()


@opcode("JUMP_IF_OR_POP")
def jump_if_or_pop(frame: Frame, arg: tuple[bool, int]) -> int | None:
    wanted, target = arg
    known = truth(frame, frame.stack[-1])
    if known is None:
        raise _undecided(frame.stack[-1])
    if known is wanted:
        return target
    frame.pop()
    return None


@opcode("GET_ITER")
def get_iter(frame: Frame, arg: Any) -> None:
    if not frame.depth:
        raise Flush(IteratorKind(item_kind(frame.stack[-1].kind)))
    value = frame.pop()
    if isinstance(value, IteratorValue):
        frame.push(value)
        return
    try:
        items = iterate(frame, value)
    except Break:
        raise Break(LOOP_INSIDE_INLINED) from None
    frame.push(IteratorValue(items))


@opcode("FOR_ITER")
def for_iter(frame: Frame, arg: int) -> int | None:
    iterator = frame.stack[-1]
    if not frame.depth or not isinstance(iterator, IteratorValue):
        raise Break(LOOP_INSIDE_INLINED) if frame.depth else Flush(item_kind(iterator.kind))
    item = next(iterator.items, None)
    if item is None:
        frame.pop()
        return arg
    frame.push(item)
    return None


@opcode("END_FOR")
def end_for(frame: Frame, arg: Any) -> None:
    raise Break(LOOP_INSIDE_INLINED)


@opcode("RETURN_VALUE")
def return_value(frame: Frame, arg: Any) -> None:
    if not frame.depth:
        raise Flush
    result = frame.pop()
    if _holds_iterator(result):
        raise Break(LOOP_INSIDE_INLINED)
    frame.result = result


def _holds_iterator(value: Value) -> bool:
    """Whether a value is or contains an iterator, which exists only while tracing."""
    if isinstance(value, (ListValue, TupleValue)):
        return any(map(_holds_iterator, value.items))
    if isinstance(value, DictValue):
        return any(map(_holds_iterator, value.items.values()))
    return isinstance(value, IteratorValue)


@opcode("BREAK")
def break_op(frame: Frame, arg: tuple[str, int, int | None]) -> None:
    code: BreakReason = reason(arg[0])
    raise Break(code)
