"""NumPy's own inner loops, called from machine code: sums, minima, and ufuncs that LLVM cannot do.

A loop gets the addresses, strides and number of elements that eager would give it, so it gives the
same bits. Invariant: operands are aligned, as eager's are when it calls these loops directly;
others leave the iteration. Read `exec.lower.inner_loops` for how a loop is found, `rows` for rows.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cache
from types import MappingProxyType
from typing import Any

import numpy as np

from dyntrace.exec.kernels.addresses import CONTEXT, DATA, FUNCTION, inner_loop, part_of_loop
from dyntrace.exec.kernels.arithmetic import Names, cast, line_of
from dyntrace.exec.kernels.elements import load
from dyntrace.exec.kernels.emission import Emission
from dyntrace.exec.kernels.held import ArrayParts, NoRule, element_types, kind_of
from dyntrace.exec.kernels.rows import ANY_VERSION, LoopRow, as_row, in_scratch, scratch_row
from dyntrace.exec.kernels.writer import float_literal
from dyntrace.exec.lower import inner_loops
from dyntrace.graph.kinds import ArrayKind, NumpyScalarKind
from dyntrace.graph.node import Node

__all__ = ["RULES_OF_ROWS", "RULES_OF_SCALARS", "check_aligned"]

Key = tuple[str, str, str]  # how a loop is used, its ufunc, its dtype
MAX_BUFFERED = 4096  # elements of an array of two axes that NumPy adds in one piece


def check_aligned(emission: Emission, view: ArrayParts, dtype: np.dtype[Any], lineno: int) -> None:
    """Leave the iteration if elements of a view are not aligned."""
    writer = emission.writer
    bits = writer.op(f"ptrtoint ptr {view.pointer} to i64")
    for stride in view.strides:
        bits = writer.op(f"or i64 {bits}, {stride}")
    low = writer.op(f"and i64 {bits}, {dtype.itemsize - 1}")
    emission.check(writer.op(f"icmp ne i64 {low}, 0"), "an array that is not aligned", lineno)


def call_loop(
    emission: Emission, key: Key, operands: list[tuple[str, str]], length: str, lineno: int
) -> None:
    """Call the loop that `key` names on (address, stride) pairs, the result last."""
    writer = emission.writer
    loop = inner_loop(*key)
    if loop is None:
        raise NoRule(key[1])
    if loop.clears:
        emission.check_flags(lineno)
    function, context = (emission.call_table((*key, part)) for part in (FUNCTION, CONTEXT))
    data = emission.call_table((*key, DATA)) if part_of_loop(*key, DATA) else "null"
    for number, (pointer, stride) in enumerate(operands):
        place = writer.op(f"getelementptr ptr, ptr %operands, i64 {number}")
        writer.do(f"store ptr {pointer}, ptr {place}, align 8")
        place = writer.op(f"getelementptr i64, ptr %strides, i64 {number}")
        writer.do(f"store i64 {stride}, ptr {place}, align 8")
    writer.do(f"store i64 {length}, ptr %count, align 8")
    writer.op(
        f"call i32 {function}(ptr {context}, ptr %operands, ptr %count, ptr %strides, ptr {data})"
    )
    emission.check_raised(lineno)
    emission.opaque_flags()


# reductions ---------------------------------------------------------------------------------------


def _reduced(ufunc: np.ufunc) -> Callable[[Emission, Node], Names]:
    def rule(emission: Emission, node: Node) -> Names:
        kind = kind_of(node.args[0])
        if len(node.args) != 1 or node.kwargs or not isinstance(kind, ArrayKind):
            raise NoRule(node.op.name)
        dtype = kind.dtype
        same = isinstance(node.kind, NumpyScalarKind) and node.kind.dtype == dtype
        if not same or dtype.char not in "fdlq":
            raise NoRule(f"{node.op.name} of {dtype}")
        view = _in_order(emission, node, kind)
        check_aligned(emission, view, dtype, line_of(node))
        return _reduce(emission, ufunc, view, dtype, line_of(node))

    return rule


def _in_order(emission: Emission, node: Node, kind: ArrayKind) -> ArrayParts:
    """The elements in the order in which NumPy reduces them, as a vector."""
    lineno = line_of(node)
    if kind.ndim == 1:
        row = as_row(emission, node.args[0], kind.dtype, node)
        return row.array or in_scratch(emission, row, row.length, lineno)
    held = emission.of(node.args[0])
    if kind.ndim != 2 or not isinstance(held, ArrayParts) or not adds_in_one_piece(kind.dtype.char):
        raise NoRule(f"{node.op.name} of several axes")
    return _gathered(emission, held, kind.dtype, lineno)


@cache
def adds_in_one_piece(char: str) -> bool:
    """Whether NumPy adds a small window of an array as if it were one vector, row by row."""
    draw = np.random.default_rng(7)
    whole = (draw.random((70, 70)) * 2.0 ** draw.integers(-20, 20, (70, 70))).astype(char)
    shapes = [(1, 5), (2, 3), (3, 3), (5, 1), (4, 9), (9, 17), (33, 61), (64, 64)]
    windows = [whole[2 : 2 + rows, 3 : 3 + columns] for rows, columns in shapes]
    return all(window.sum() == window.copy().ravel().sum() for window in windows)


def _gathered(
    emission: Emission, array: ArrayParts, dtype: np.dtype[Any], lineno: int
) -> ArrayParts:
    """A small array of two axes, copied row by row; one in another order leaves the iteration."""
    writer, (held,), size = emission.writer, element_types(dtype), dtype.itemsize
    (rows, columns), (down, across) = array.dims, array.strides
    length = writer.op(f"mul i64 {rows}, {columns}")
    long = writer.op(f"icmp ugt i64 {length}, {MAX_BUFFERED}")
    span = writer.op(f"mul i64 {columns}, {across}")
    other = writer.op(f"icmp slt i64 {down}, {span}")
    back = writer.op(f"icmp slt i64 {across}, {size}")
    for bad in (long, other, back):
        emission.check(bad, "an array in another order than rows", lineno)
    place = scratch_row(emission, length, size, lineno)
    row, column, begin, done = (writer.fresh(name) for name in ("row", "column", "begin", "end"))
    before = writer.label
    some = writer.op(f"icmp sgt i64 {length}, 0")
    writer.do(f"br i1 {some}, label %{row}, label %{done}")
    writer.start(row)
    writer.do(f"%{row}.i = phi i64 [0, %{before}], [%{row}.next, %{begin}]")
    offset = writer.op(f"mul i64 %{row}.i, {down}")
    source = writer.op(f"getelementptr i8, ptr {array.pointer}, i64 {offset}")
    first = writer.op(f"mul i64 %{row}.i, {columns}")
    writer.do(f"br label %{column}")
    writer.start(column)
    writer.do(f"%{column}.j = phi i64 [0, %{row}], [%{column}.next, %{column}]")
    inner = writer.op(f"mul i64 %{column}.j, {across}")
    value = writer.op(
        f"load {held}, ptr {writer.op(f'getelementptr i8, ptr {source}, i64 {inner}')}, align 1"
    )
    number = writer.op(f"add i64 {first}, %{column}.j")
    target = writer.op(f"getelementptr {held}, ptr {place}, i64 {number}")
    writer.do(f"store {held} {value}, ptr {target}, align 8")
    writer.do(f"%{column}.next = add i64 %{column}.j, 1")
    last = writer.op(f"icmp eq i64 %{column}.next, {columns}")
    writer.do(f"br i1 {last}, label %{begin}, label %{column}")
    writer.start(begin)
    writer.do(f"%{row}.next = add i64 %{row}.i, 1")
    last = writer.op(f"icmp eq i64 %{row}.next, {rows}")
    writer.do(f"br i1 {last}, label %{done}, label %{row}")
    writer.start(done)
    return ArrayParts(place, "true", (length,), (str(size),), "-1")


def _reduce(
    emission: Emission, ufunc: np.ufunc, view: ArrayParts, dtype: np.dtype[Any], lineno: int
) -> Names:
    writer, (held,) = emission.writer, element_types(dtype)
    (length,), (stride,) = view.dims, view.strides
    start = inner_loops.identity(ufunc, dtype)
    pointer = view.pointer
    if start is None:
        empty = writer.op(f"icmp eq i64 {length}, 0")
        emission.check(empty, "the extreme of no elements", lineno)
        value = writer.op(f"load {held}, ptr {pointer}, align 1")
        pointer = writer.op(f"getelementptr i8, ptr {pointer}, i64 {stride}")
        length = writer.op(f"sub i64 {length}, 1")
    else:
        number = np.frombuffer(start, dtype)[0].item()
        value = float_literal(number) if dtype.kind == "f" else str(number)
    writer.do(f"store {held} {value}, ptr %pair, align 8")
    key = ("reduction", ufunc.__name__, dtype.char)
    call_loop(emission, key, [("%pair", "0"), (pointer, stride), ("%pair", "0")], length, lineno)
    return (writer.op(f"load {held}, ptr %pair, align 8"),)


# ufuncs -------------------------------------------------------------------------------------------


def _ufunc_of(node: Node) -> np.ufunc:
    ufunc = node.op.target
    if not isinstance(ufunc, np.ufunc) or ufunc.nout != 1 or node.kwargs:
        raise NoRule(node.op.name)
    if len(node.args) != ufunc.nin:
        raise NoRule(node.op.name)
    return ufunc


def ufunc_of_rows(emission: Emission, node: Node) -> Any:
    """A ufunc on rows: operands that are expressions are computed first, the result has memory."""
    ufunc, kind, lineno = _ufunc_of(node), node.kind, line_of(node)
    if not isinstance(kind, ArrayKind) or kind.ndim != 1 or kind.dtype.char not in "fd":
        raise NoRule(node.op.name)
    key = ("elementwise", ufunc.__name__, kind.dtype.char)
    rows = [as_row(emission, argument, kind.dtype, node) for argument in node.args]
    length = ""
    for row in rows:
        if row.length and length and row.length != length:
            bad = emission.writer.op(f"icmp ne i64 {row.length}, {length}")
            emission.check(bad, "rows of different lengths", lineno)
        length = length or row.length
    operands = [_operand(emission, row, length, lineno) for row in rows]
    size = kind.dtype.itemsize
    place = scratch_row(emission, length, size, lineno)
    call_loop(emission, key, [*operands, (place, str(size))], length, lineno)
    result = ArrayParts(place, "true", (length,), (str(size),), "-1")
    return LoopRow("load", kind.dtype, length, ANY_VERSION, array=result)


def _operand(emission: Emission, row: LoopRow, length: str, lineno: int) -> tuple[str, str]:
    """The address and stride of a row's elements."""
    writer, (held,) = emission.writer, element_types(row.dtype)
    if row.op == "number":
        place = scratch_row(emission, "1", row.dtype.itemsize, lineno)
        writer.do(f"store {held} {row.number}, ptr {place}, align 8")
        return place, "0"
    array = row.array or in_scratch(emission, row, length, lineno)
    check_aligned(emission, array, row.dtype, lineno)
    return array.pointer, array.strides[0]


def ufunc_of_scalars(emission: Emission, node: Node) -> Names:
    """A ufunc on numbers, by the loop that eager runs for arrays without axes."""
    ufunc, kind, lineno = _ufunc_of(node), node.kind, line_of(node)
    if not isinstance(kind, NumpyScalarKind) or kind.dtype.char not in "fd":
        raise NoRule(node.op.name)
    key = ("elementwise", ufunc.__name__, kind.dtype.char)
    writer, (held,) = emission.writer, element_types(kind.dtype)
    operands = []
    for argument in node.args:
        (name,) = cast(emission, argument, kind, node)
        place = scratch_row(emission, "1", kind.dtype.itemsize, lineno)
        writer.do(f"store {held} {name}, ptr {place}, align 8")
        operands.append((place, "0"))
    call_loop(emission, key, [*operands, ("%pair", "0")], "1", lineno)
    return load(emission, kind.dtype, "%pair")


Rule = Callable[[Emission, Node], Any]
_UFUNCS = (
    *(np.minimum, np.maximum, np.fmin, np.fmax, np.exp, np.log, np.sin, np.cos, np.tan, np.tanh),
    *(np.arctan, np.arctan2, np.arcsin, np.arccos, np.sinh, np.cosh, np.exp2, np.expm1, np.log2),
    *(np.log10, np.log1p, np.hypot, np.power, np.cbrt, np.floor, np.ceil, np.trunc, np.rint),
    *(np.sign, np.square, np.reciprocal, np.fmod, np.remainder, np.floor_divide, np.copysign),
)
RULES_OF_ROWS: Mapping[Any, Rule] = MappingProxyType(
    {
        **dict.fromkeys(("ndarray.sum", "numpy.sum"), _reduced(np.add)),
        **dict.fromkeys(("ndarray.min", "numpy.min"), _reduced(np.minimum)),
        **dict.fromkeys(("ndarray.max", "numpy.max"), _reduced(np.maximum)),
        **dict.fromkeys(_UFUNCS, ufunc_of_rows),
    }
)
RULES_OF_SCALARS: Mapping[Any, Rule] = MappingProxyType(dict.fromkeys(_UFUNCS, ufunc_of_scalars))
