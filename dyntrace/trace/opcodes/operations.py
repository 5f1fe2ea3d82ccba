"""Handlers of operators, comparisons and subscripts.

Invariant: a handler only moves values between the stack and the algorithm that it is named after.
Read `trace.semantics.protocol`, which has the algorithms, next.
"""

from __future__ import annotations

from typing import Any

from dyntrace.trace.frame import Frame
from dyntrace.trace.semantics import protocol
from dyntrace.trace.semantics.changes import stored
from dyntrace.trace.stepping import opcode
from dyntrace.trace.values.base import Constant
from dyntrace.trace.values.containers import SliceValue


@opcode("BINARY")
def binary(frame: Frame, arg: tuple[str, bool]) -> None:
    right, left = frame.pop(), frame.pop()
    frame.push(protocol.binary(frame, *arg, left, right))


@opcode("UNARY")
def unary(frame: Frame, arg: str) -> None:
    frame.push(protocol.unary(frame, arg, frame.pop()))


@opcode("COMPARE")
def compare(frame: Frame, arg: str) -> None:
    right, left = frame.pop(), frame.pop()
    frame.push(protocol.compare(frame, arg, left, right))


@opcode("IS")
def is_op(frame: Frame, arg: bool) -> None:
    right, left = frame.pop(), frame.pop()
    frame.push(protocol.identical(frame, left, right, bool(arg)))


@opcode("CONTAINS")
def contains(frame: Frame, arg: bool) -> None:
    container, item = frame.pop(), frame.pop()
    frame.push(protocol.contains(frame, item, container, bool(arg)))


@opcode("TO_BOOL")
def to_bool(frame: Frame, arg: Any) -> None:
    frame.push(protocol.truth_value(frame, frame.pop()))


@opcode("BINARY_SUBSCR")
def binary_subscr(frame: Frame, arg: Any) -> None:
    index, container = frame.pop(), frame.pop()
    frame.push(protocol.get_item(frame, container, index))


@opcode("BINARY_SLICE")
def binary_slice(frame: Frame, arg: Any) -> None:
    stop, start, container = frame.pop(), frame.pop(), frame.pop()
    none = Constant(None)
    frame.push(protocol.get_item(frame, container, SliceValue(start, stop, none)))


@opcode("STORE_SUBSCR")
def store_subscr(frame: Frame, arg: Any) -> None:
    index, container, value = frame.pop(), frame.pop(), frame.pop()
    protocol.set_item(frame, container, index, value)


@opcode("STORE_SLICE")
def store_slice(frame: Frame, arg: Any) -> None:
    stop, start, container, value = frame.pop(), frame.pop(), frame.pop(), frame.pop()
    none = Constant(None)
    protocol.set_item(frame, container, SliceValue(start, stop, none), stored(value))
