"""Rules for rows: operators and ufuncs on arrays of one axis, assignments to slices, dots, sums.

A rule of this module is asked first if an argument is an array; `elements` and `arithmetic` have
those of numbers. Invariant: additions of many elements are done by NumPy's own functions, which fix
their order. Read `rows` for how a row is held.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any

import numpy as np

from dyntrace.exec.kernels.arithmetic import line_of
from dyntrace.exec.kernels.elements import element_of, view_of
from dyntrace.exec.kernels.emission import Emission
from dyntrace.exec.kernels.held import ArrayParts, NoRule, element_types, kind_of
from dyntrace.exec.kernels.numpy_loops import RULES_OF_ROWS, check_aligned
from dyntrace.exec.kernels.rows import LoopRow, as_row, combined, copy_row, scratch_row, store_row
from dyntrace.graph.kinds import ArrayKind, NumpyScalarKind
from dyntrace.graph.node import Node

__all__ = ["ROW_RULES"]

_FLOAT: Mapping[Any, str] = MappingProxyType(
    {
        "add": "fadd",
        "sub": "fsub",
        "mul": "fmul",
        "truediv": "fdiv",
        "negative": "fneg",
        "abs": "fabs",
        np.add: "fadd",
        np.subtract: "fsub",
        np.multiply: "fmul",
        np.divide: "fdiv",
        np.negative: "fneg",
        np.absolute: "fabs",
        np.sqrt: "sqrt",
    }
)
_INTEGER: Mapping[Any, str] = MappingProxyType(
    {
        "add": "add",
        "sub": "sub",
        "mul": "mul",
        "and": "and",
        "or": "or",
        "xor": "xor",
        np.add: "add",
        np.subtract: "sub",
        np.multiply: "mul",
    }
)


def _operation(node: Node, dtype: np.dtype[Any]) -> str:
    """The instruction of an operator or ufunc; NoRule if its bits are not LLVM's."""
    name = node.op.name.removeprefix("operator.")
    name = name.removeprefix("i") if node.op.style == "inplace" else name
    table = _FLOAT if dtype.kind == "f" else _INTEGER if dtype.kind in "iu" else {}
    found = table.get(name) or table.get(node.op.target)
    if found is None or dtype.char not in "fdlqiLQIhHbB":
        raise NoRule(node.op.name)
    return found


def elementwise(emission: Emission, node: Node) -> Any:
    """An operator or a ufunc on rows: an expression; in place, its target."""
    kind = node.kind
    if not isinstance(kind, ArrayKind) or kind.ndim != 1 or node.kwargs:
        raise NoRule(node.op.name)
    op = _operation(node, kind.dtype)
    rows = [as_row(emission, argument, kind.dtype, node) for argument in node.args]
    row = combined(emission, op, rows, line_of(node))
    if node.op.style != "inplace":
        return row
    target = emission.of(node.args[0])
    if not isinstance(target, ArrayParts):
        raise NoRule("an operator in place on an expression")
    store_row(emission, target, row, line_of(node))
    return target


def set_slice(emission: Emission, node: Node) -> Any:
    """`a[i, j:k] = row` or a number for each element."""
    container, index, value = node.args
    kind = kind_of(container)
    if not isinstance(kind, ArrayKind):
        raise NoRule("[] =")
    if _is_own_view(container, index, value):
        return ()
    view = view_of(emission, emission.array(container), index, line_of(node))
    if len(view.dims) != 1:
        raise NoRule("an assignment to several axes")
    if isinstance(kind_of(value), ArrayKind):
        row = as_row(emission, value, kind.dtype, node)
    else:
        names = element_of(emission, value, kind.dtype, node)
        if len(names) != 1 or element_types(kind.dtype) == ("i1",):
            raise NoRule(f"an assignment of {kind.dtype} to a slice")
        row = LoopRow("number", kind.dtype, "", emission.version, number=names[0])
    store_row(emission, view, row, line_of(node))
    return ()


def _is_own_view(container: Any, index: Any, value: Any) -> bool:
    """Whether `a[i] += x` stores back the view that it has changed in place."""
    if not isinstance(value, Node) or value.op.name != "operator.getitem":
        return False
    return value.args[0] is container and _is_same_index(value.args[1], index)


def _is_same_index(one: Any, other: Any) -> bool:
    if isinstance(one, tuple) and isinstance(other, tuple):
        return len(one) == len(other) and all(map(_is_same_index, one, other))
    if isinstance(one, slice) and isinstance(other, slice):
        parts = ((one.start, other.start), (one.stop, other.stop), (one.step, other.step))
        return all(_is_same_index(a, b) for a, b in parts)
    return one is other or (type(one) is type(other) is int and one == other)


# one number from rows -----------------------------------------------------------------------------


def _vector(emission: Emission, argument: Any) -> ArrayParts:
    held = emission.of(argument)
    if isinstance(held, ArrayParts) and len(held.dims) == 1:
        return held
    raise NoRule("a product of more than two vectors")


def product(emission: Emission, node: Node) -> Any:
    """`a @ b` or `np.dot(a, b)` of two vectors, by the dtype's own function of NumPy."""
    kind = node.kind
    if len(node.args) != 2 or node.kwargs or not isinstance(kind, NumpyScalarKind):
        raise NoRule(node.op.name)
    dtype = kind.dtype
    if dtype.char not in "fd" or any(kind_of(arg).dtype != dtype for arg in node.args):  # type: ignore[attr-defined]
        raise NoRule(f"a product of {dtype}")
    writer, lineno = emission.writer, line_of(node)
    vectors = [_vector(emission, arg) for arg in node.args]
    length = vectors[0].dims[0]
    bad = writer.op(f"icmp ne i64 {length}, {vectors[1].dims[0]}")
    emission.check(bad, "vectors of different lengths", lineno)
    if node.op.name != "operator.matmul":
        single = writer.op(f"icmp eq i64 {length}, 1")
        emission.check(single, "a product of one element", lineno)
        vectors = [_forward(emission, vector, dtype, lineno) for vector in vectors]
    for vector in vectors:
        check_aligned(emission, vector, dtype, lineno)
    function = emission.call_table(("dot", dtype.char))
    (held,) = element_types(dtype)
    operands = ", ".join(f"ptr {v.pointer}, i64 {v.strides[0]}" for v in vectors)
    writer.do(f"call void {function}({operands}, ptr %pair, i64 {length}, ptr null)")
    emission.opaque_flags()
    return (writer.op(f"load {held}, ptr %pair, align 8"),)


def _forward(
    emission: Emission, vector: ArrayParts, dtype: np.dtype[Any], lineno: int
) -> ArrayParts:
    """A vector that runs forwards: np.dot copies one that does not before it multiplies."""
    writer = emission.writer
    length, stride = vector.dims[0], vector.strides[0]
    back = writer.op(f"icmp sle i64 {stride}, 0")
    place = scratch_row(emission, length, dtype.itemsize, lineno)
    copying, done = writer.fresh("copy"), writer.fresh("copied")
    before = writer.label
    writer.do(f"br i1 {back}, label %{copying}, label %{done}")
    writer.start(copying)
    copy = ArrayParts(place, "true", (length,), (str(dtype.itemsize),), "-1")
    row = LoopRow("load", dtype, length, emission.version, array=vector)
    copy_row(emission, copy, row)
    behind = writer.label
    writer.do(f"br label %{done}")
    writer.start(done)
    pointer = writer.op(f"phi ptr [{vector.pointer}, %{before}], [{place}, %{behind}]")
    found = writer.op(f"phi i64 [{stride}, %{before}], [{dtype.itemsize}, %{behind}]")
    return ArrayParts(pointer, "true", (length,), (found,), "-1")


def flipped(emission: Emission, node: Node) -> Any:
    """`np.flip` of a vector: the view that runs backwards."""
    if len(node.args) != 1 or node.kwargs:
        raise NoRule(node.op.name)
    vector = _vector(emission, node.args[0])
    return view_of(emission, vector, slice(None, None, -1), line_of(node))


Rule = Callable[[Emission, Node], Any]
ROW_RULES: Mapping[Any, Rule] = MappingProxyType(
    {
        **{
            f"operator.{prefix}{name}": elementwise
            for name in ("add", "sub", "mul", "truediv", "and", "or", "xor")
            for prefix in ("", "i")
        },
        "operator.negative": elementwise,
        "operator.abs": elementwise,
        **{key: elementwise for key in _FLOAT if not isinstance(key, str)},
        **RULES_OF_ROWS,
        "operator.setitem": set_slice,
        "operator.matmul": product,
        "numpy.flip": flipped,
        "numpy.dot": product,
        "numpy.inner": product,
        "ndarray.dot": product,
    }
)
