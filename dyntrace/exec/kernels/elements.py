"""Rules for arrays: elements that are read and written, views, lengths.

Bounds are checked as NumPy checks them, and negative indexes count from the end. An element is read
and stored at any alignment. Invariant: a store happens after all checks of its node, so that an
iteration is left before it writes or not at all. Read `arithmetic` for the values, `emission` for
the log that takes stores back.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from dyntrace.exec.kernels.arithmetic import Names, cast, family, line_of, truncated
from dyntrace.exec.kernels.emission import SIZES, Emission, rule
from dyntrace.exec.kernels.held import ArrayParts, NoRule, dtype_of, element_types, kind_of
from dyntrace.graph.kinds import (
    ArrayKind,
    NumpyScalarKind,
    PythonScalarKind,
    SequenceKind,
)
from dyntrace.graph.node import Node

__all__ = ["view_of"]

_NUMBERS = (PythonScalarKind, NumpyScalarKind)


def _index_items(index: Any, ndim: int) -> list[Any]:
    """The items of an index, one for each axis, with slices for those that are left out."""
    items = list(index) if isinstance(index, tuple) else [index]
    if any(item is None for item in items):
        raise NoRule("an index with None")
    if any(item is Ellipsis for item in items):
        at = next(k for k, item in enumerate(items) if item is Ellipsis)
        missing = ndim - (len(items) - 1)
        items[at : at + 1] = [slice(None)] * missing
    if len(items) > ndim:
        raise NoRule("too many indexes")
    return items + [slice(None)] * (ndim - len(items))


def view_of(emission: Emission, array: ArrayParts, index: Any, lineno: int) -> ArrayParts:
    """The view of an array that a basic index selects; its dims are those that are left."""
    writer = emission.writer
    offsets: list[str] = []
    dims: list[str] = []
    strides: list[str] = []
    items = _index_items(index, len(array.dims))
    for item, dim, stride in zip(items, array.dims, array.strides, strict=True):
        if isinstance(item, slice):
            start, length, step = _slice(emission, item, dim, lineno)
            if start != "0":
                offsets.append(writer.op(f"mul i64 {start}, {stride}"))
            dims.append(length)
            strides.append(stride if step == "1" else writer.op(f"mul i64 {stride}, {step}"))
        else:
            at = _position(emission, item, dim, lineno)
            offsets.append(writer.op(f"mul i64 {at}, {stride}"))
    pointer = array.pointer
    for offset in offsets:
        pointer = writer.op(f"getelementptr i8, ptr {pointer}, i64 {offset}")
    return ArrayParts(pointer, array.writeable, tuple(dims), tuple(strides), "-1")


def _position(emission: Emission, item: Any, dim: str, lineno: int) -> str:
    """An index into an axis, which counts from the end if it is negative."""
    kind = kind_of(item)
    if not isinstance(kind, _NUMBERS) or family(kind) == "b":
        raise NoRule("an index that is no integer")
    writer = emission.writer
    at = emission.index(item, lineno)
    if at.isdigit():
        found = at
    elif at.startswith("-"):
        found = writer.op(f"add i64 {at}, {dim}")
    else:
        wrapped = writer.op(f"add i64 {at}, {dim}")
        below = writer.op(f"icmp slt i64 {at}, 0")
        found = writer.op(f"select i1 {below}, i64 {wrapped}, i64 {at}")
    bad = writer.op(f"icmp uge i64 {found}, {dim}")
    emission.check(bad, "an index out of range", lineno)
    return found


def _slice(emission: Emission, item: slice, dim: str, lineno: int) -> tuple[str, str, str]:
    """Where a slice starts, how many items it has, and its step (PySlice_AdjustIndices)."""
    step = 1 if item.step is None else item.step
    if type(step) is not int or step == 0:
        raise NoRule("a slice with a step that is not a constant")
    writer, up = emission.writer, step > 0
    if item.start is None and item.stop is None and step == 1:
        return "0", dim, "1"
    last = dim if up else writer.op(f"sub i64 {dim}, 1")
    lowest = "0" if up else "-1"
    start = _bound(emission, item.start, dim, lowest, last, lineno, "0" if up else last)
    stop = _bound(emission, item.stop, dim, lowest, last, lineno, dim if up else "-1")
    span = writer.op(f"sub i64 {stop}, {start}" if up else f"sub i64 {start}, {stop}")
    some = writer.op(f"icmp sgt i64 {span}, 0")
    count = span
    if abs(step) != 1:
        before = writer.op(f"sub i64 {span}, 1")
        count = writer.op(f"add i64 {writer.op(f'udiv i64 {before}, {abs(step)}')}, 1")
    length = writer.op(f"select i1 {some}, i64 {count}, i64 0")
    return writer.op(f"select i1 {some}, i64 {start}, i64 0"), length, str(step)


def _bound(
    emission: Emission, bound: Any, dim: str, lowest: str, last: str, lineno: int, default: str
) -> str:
    """A bound of a slice, brought into the axis as Python does."""
    if bound is None:
        return default
    writer = emission.writer
    at = emission.index(bound, lineno)
    if at == "0" and lowest == "0":
        return at
    wrapped = writer.op(f"add i64 {at}, {dim}")
    below = writer.op(f"icmp slt i64 {at}, 0")
    found = writer.op(f"select i1 {below}, i64 {wrapped}, i64 {at}")
    if not at.isdigit():
        low = writer.op(f"icmp slt i64 {found}, {lowest}")
        found = writer.op(f"select i1 {low}, i64 {lowest}, i64 {found}")
    high = writer.op(f"icmp sgt i64 {found}, {last}")
    return writer.op(f"select i1 {high}, i64 {last}, i64 {found}")


# elements -----------------------------------------------------------------------------------------


def load(emission: Emission, dtype: np.dtype[Any], pointer: str) -> Names:
    """The element of an array at an address."""
    writer, names = emission.writer, []
    for number, held in enumerate(element_types(dtype)):
        place = pointer
        if number:
            place = writer.op(f"getelementptr i8, ptr {pointer}, i64 {dtype.itemsize // 2}")
        if held == "i1":
            byte = writer.op(f"load i8, ptr {place}, align 1")
            names.append(writer.op(f"icmp ne i8 {byte}, 0"))
        else:
            names.append(writer.op(f"load {held}, ptr {place}, align 1"))
    return tuple(names)


@rule("operator.getitem")
def get_item(emission: Emission, node: Node) -> Any:
    container, index = node.args
    kind = kind_of(container)
    if isinstance(kind, SequenceKind):
        return emission.of(container)[index]
    if not isinstance(kind, ArrayKind):
        raise NoRule("[]")
    if isinstance(node.kind, ArrayKind) and not node.op.aliases:
        raise NoRule("an index that makes a copy")
    view = view_of(emission, emission.array(container), index, line_of(node))
    if isinstance(node.kind, ArrayKind):
        return view
    return load(emission, kind.dtype, view.pointer)


@rule("operator.setitem")
def set_item(emission: Emission, node: Node) -> Any:
    container, index, value = node.args
    kind, value_kind = kind_of(container), kind_of(value)
    if not isinstance(kind, ArrayKind) or not isinstance(value_kind, _NUMBERS):
        raise NoRule("an assignment to a slice")
    lineno, array = line_of(node), emission.array(container)
    view = view_of(emission, array, index, lineno)
    if view.dims:
        raise NoRule("an assignment to a slice")
    writer = emission.writer
    emission.check(writer.op(f"xor i1 {array.writeable}, true"), "a read-only array", lineno)
    names = element_of(emission, value, kind.dtype, node)
    if emission.unlogged:
        emission.check_flags(lineno)
    for number, (name, held) in enumerate(zip(names, element_types(kind.dtype), strict=True)):
        place = view.pointer
        if number:
            place = writer.op(f"getelementptr i8, ptr {place}, i64 {kind.dtype.itemsize // 2}")
        if held == "i1":
            name, held = writer.op(f"zext i1 {name} to i8"), "i8"
        assert held in SIZES
        emission.store(held, place, name, lineno)
    return ()


def element_of(emission: Emission, value: Any, dtype: np.dtype[Any], node: Node) -> Names:
    """A number as an element of an array of `dtype`, as an assignment converts it."""
    kind = kind_of(value)
    source = dtype_of(kind).kind
    writer, target = emission.writer, NumpyScalarKind(dtype)
    if dtype.kind == "b" and source in "iuf":
        zero = "0" if source != "f" else "0.0"
        (held,) = element_types(dtype_of(kind))
        name = emission.name(value)
        if source == "f":
            return (writer.compare("une", held, name, zero),)
        return (writer.op(f"icmp ne {held} {name}, {zero}"),)
    if dtype.kind in "iu" and source == "f":
        if dtype.kind == "u" or dtype.itemsize < 4:
            raise NoRule(f"a float stored into {dtype}")
        whole = truncated(emission, emission.as_double(value, line_of(node)), node)
        return _narrowed(emission, whole, dtype, node)
    return cast(emission, value, target, node)


def _narrowed(emission: Emission, name: str, dtype: np.dtype[Any], node: Node) -> Names:
    (held,) = element_types(dtype)
    if held == "i64":
        return (name,)
    writer = emission.writer
    narrow = writer.op(f"trunc i64 {name} to {held}")
    bad = writer.op(f"icmp ne i64 {writer.op(f'sext {held} {narrow} to i64')}, {name}")
    emission.check(bad, "a float out of range", line_of(node))
    return (narrow,)


# attributes ---------------------------------------------------------------------------------------


@rule("ndarray.shape")
def shape(emission: Emission, node: Node) -> Any:
    return tuple((dim,) for dim in emission.array(node.args[0]).dims)


@rule("ndarray.size")
def size(emission: Emission, node: Node) -> Any:
    found = "1"
    for dim in emission.array(node.args[0]).dims:
        found = emission.writer.op(f"mul i64 {found}, {dim}")
    return (found,)


@rule("ndarray.T")
def transposed(emission: Emission, node: Node) -> Any:
    array = emission.array(node.args[0])
    return ArrayParts(array.pointer, array.writeable, array.dims[::-1], array.strides[::-1], "-1")
