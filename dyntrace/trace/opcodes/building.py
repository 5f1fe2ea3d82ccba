"""Handlers that build and unpack tuples, lists, dicts and slices.

Invariant: only containers that the region builds are changed. Read `trace.semantics.changes` next.
"""

from __future__ import annotations

from typing import Any

from dyntrace.breaks import MAKES_TEXT, UNSUPPORTED_OPERANDS
from dyntrace.trace.frame import Break, Flush, Frame
from dyntrace.trace.semantics import protocol
from dyntrace.trace.semantics.changes import extend_list, new_list, new_tuple, set_pair, stored
from dyntrace.trace.semantics.protocol import UNFOLDED, constant, unpack, unsupported
from dyntrace.trace.stepping import opcode
from dyntrace.trace.values.base import Constant, Value
from dyntrace.trace.values.containers import DictValue, ListValue, SliceValue


@opcode("BUILD_TUPLE")
def build_tuple(frame: Frame, arg: int) -> None:
    frame.push(new_tuple(stored(item) for item in frame.pop_many(arg)))


@opcode("BUILD_LIST")
def build_list(frame: Frame, arg: int) -> None:
    frame.push(new_list(stored(item) for item in frame.pop_many(arg)))


@opcode("BUILD_SET")
def build_set(frame: Frame, arg: int) -> None:
    raise Break(UNSUPPORTED_OPERANDS, "set")


@opcode("BUILD_MAP")
def build_map(frame: Frame, arg: int) -> None:
    flat = frame.pop_many(2 * arg)
    result = DictValue({})
    for key, value in zip(flat[::2], flat[1::2], strict=True):
        set_pair(frame, result, constant(frame, key), value)
    frame.push(result)


@opcode("BUILD_CONST_KEY_MAP")
def build_const_key_map(frame: Frame, arg: int) -> None:
    keys = constant(frame, frame.pop())
    values = frame.pop_many(arg)
    if keys is UNFOLDED:
        raise Break(UNSUPPORTED_OPERANDS)
    result = DictValue({})
    for key, value in zip(keys, values, strict=True):
        set_pair(frame, result, key, value)
    frame.push(result)


@opcode("BUILD_SLICE")
def build_slice(frame: Frame, arg: int) -> None:
    parts = [*frame.pop_many(arg), Constant(None)][:3]
    frame.push(SliceValue(*parts))


@opcode("BUILD_STRING")
def build_string(frame: Frame, arg: int) -> None:
    raise Break(MAKES_TEXT, "text with values in it")


@opcode("FORMAT")
def format_value(frame: Frame, arg: Any) -> None:
    raise Break(MAKES_TEXT, "text with values in it")


def _own_list(frame: Frame, depth: int) -> ListValue:
    found = frame.stack[-depth]
    if not isinstance(found, ListValue):
        raise Flush  # the list of a comprehension, whose loop CPython runs
    return found


def _own_dict(frame: Frame, depth: int) -> DictValue:
    found = frame.stack[-depth]
    if not isinstance(found, DictValue):
        raise Flush
    return found


@opcode("LIST_APPEND")
def list_append(frame: Frame, arg: int) -> None:
    item = stored(frame.pop())
    target = _own_list(frame, arg)
    extend_list(frame, target, [item])


@opcode("LIST_EXTEND")
def list_extend(frame: Frame, arg: int) -> None:
    items = [stored(item) for item in unpack(frame, frame.pop())]
    target = _own_list(frame, arg)
    extend_list(frame, target, items)


@opcode("MAP_ADD")
def map_add(frame: Frame, arg: int) -> None:
    value, key = frame.pop(), frame.pop()
    set_pair(frame, _own_dict(frame, arg), constant(frame, key), value)


def _pairs(frame: Frame, value: Value) -> dict[Any, Value]:
    found = frame.pairs_of(value)
    if found is None:
        raise unsupported(value)
    return found


@opcode("DICT_UPDATE")
def dict_update(frame: Frame, arg: int) -> None:
    added = _pairs(frame, frame.pop())
    target = _own_dict(frame, arg)
    for key, value in added.items():
        set_pair(frame, target, key, value)


@opcode("DICT_MERGE")
def dict_merge(frame: Frame, arg: int) -> None:
    added = _pairs(frame, frame.pop())
    target = _own_dict(frame, arg)
    if any(type(key) is not str or key in target.items for key in added):
        raise Break(UNSUPPORTED_OPERANDS)
    for key, value in added.items():
        set_pair(frame, target, key, value)


@opcode("SET_ADD")
def set_add(frame: Frame, arg: int) -> None:
    raise Break(UNSUPPORTED_OPERANDS, "set")


@opcode("SET_UPDATE")
def set_update(frame: Frame, arg: int) -> None:
    raise Break(UNSUPPORTED_OPERANDS, "set")


@opcode("UNPACK_SEQUENCE")
def unpack_sequence(frame: Frame, arg: int) -> None:
    for item in reversed(unpack(frame, frame.pop(), arg)):
        frame.push(item)


@opcode("UNPACK_EX")
def unpack_ex(frame: Frame, arg: int) -> None:
    before, after = arg & 0xFF, arg >> 8
    items = unpack(frame, frame.pop())
    if len(items) < before + after:
        raise protocol.unsupported(*items)
    middle = new_list(stored(item) for item in items[before : len(items) - after])
    parts = [*items[:before], middle, *items[len(items) - after :]]
    for item in reversed(parts):
        frame.push(item)


@opcode("GET_LEN")
def get_len(frame: Frame, arg: Any) -> None:
    items = frame.items_of(frame.stack[-1])
    if items is None:
        raise Break(UNSUPPORTED_OPERANDS)
    frame.push(Constant(len(items)))


@opcode("CONVERT")
def convert(frame: Frame, arg: Any) -> None:
    raise Break(MAKES_TEXT, "text with values in it")
