"""Instructions for views: subscripts, permuted axes, reshapes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from dyntrace.exec.lower.instruction_table import CODES, LIMITS
from dyntrace.exec.lower.lowering import MAX_NDIM, PERMUTE, RESHAPE, VIEW, Lowering
from dyntrace.graph.kinds import ArrayKind, NumpyScalarKind
from dyntrace.graph.node import Node
from dyntrace.graph.subscripts import index_items, is_integer

Rule = Callable[[Lowering, Node], bool]
INT, SLICE = CODES["ITEM"]["INT"], CODES["ITEM"]["SLICE"]
NEWAXIS, ELLIPSIS = CODES["ITEM"]["NEWAXIS"], CODES["ITEM"]["ELLIPSIS"]
MAX_ITEMS = LIMITS["MAX_ITEMS"]

Bound = Any  # None, an int, or (register,)


def is_index(value: Any) -> bool:
    """Whether the machine takes a node or constant as an index, a bound or a length."""
    return is_integer(value) and (isinstance(value, Node) or -(2**62) < value < 2**62)


def can_select(index: Any) -> bool:
    """Whether the machine selects by an index: a basic one whose slices are of integers."""
    items = index_items(index)
    return len(items) <= MAX_ITEMS and all(map(_is_item, items))


def _is_item(item: Any) -> bool:
    if type(item) is slice:
        return all(part is None or is_index(part) for part in (item.start, item.stop, item.step))
    return item is None or item is Ellipsis or is_index(item)


def _bound(lowering: Lowering, value: Any) -> Bound:
    if isinstance(value, Node):
        reg = lowering.register_of[value]
        lowering.as_object(reg)
        return (reg,)
    return value


def items_of(lowering: Lowering, index: Any) -> tuple[Any, ...]:
    """The items of a basic index as the machine takes them."""
    return tuple(_item(lowering, item) for item in index_items(index))


def _item(lowering: Lowering, item: Any) -> tuple[Any, ...]:
    if type(item) is slice:
        parts = (item.start, item.stop, item.step)
        return (SLICE, *(_bound(lowering, part) for part in parts))
    if item is None:
        return (NEWAXIS, None, None, None)
    if item is Ellipsis:
        return (ELLIPSIS, None, None, None)
    return (INT, _bound(lowering, item), None, None)


def have_keys(lowering: Lowering, values: Any) -> None:
    """Have all ints of an index as objects before an instruction that needs them is emitted."""
    for value in values if isinstance(values, (tuple, list)) else (values,):
        parts = (value.start, value.stop, value.step) if type(value) is slice else (value,)
        for part in parts:
            if isinstance(part, Node):
                lowering.as_object(lowering.register_of[part])


def lower_getitem(lowering: Lowering, node: Node) -> bool:
    """`x[...]` with a basic index."""
    array, index = node.args
    if not _is_array(array) or not isinstance(node.kind, (ArrayKind, NumpyScalarKind)):
        return False
    if not can_select(index):
        return False
    have_keys(lowering, index)
    items = items_of(lowering, index)
    lowering.emit_view(VIEW, lowering.register_of[array], lowering.declare(node), items)
    return True


def _is_array(value: Any) -> bool:
    return isinstance(value, Node) and isinstance(value.kind, ArrayKind)


def lower_transposed(lowering: Lowering, node: Node) -> bool:
    """`x.T`, `x.transpose()` and `np.transpose(x)`."""
    if len(node.args) != 1 or node.kwargs or not _is_array(node.args[0]):
        return False
    if not isinstance(node.kind, ArrayKind):
        return False
    lowering.emit_view(PERMUTE, lowering.register_of[node.args[0]], lowering.declare(node), ())
    return True


def lower_transpose(lowering: Lowering, node: Node) -> bool:
    """Transposition, with axes given as one tuple or several ints."""
    axes = node.args[1:]
    if len(axes) == 1 and type(axes[0]) is tuple:
        axes = axes[0]
    if not axes:
        return lower_transposed(lowering, node)
    if node.kwargs or not _is_array(node.args[0]) or not all(type(axis) is int for axis in axes):
        return False
    ndim = node.args[0].kind.ndim
    found = tuple(axis % ndim for axis in axes if -ndim <= axis < ndim)
    if sorted(found) != list(range(ndim)):
        return False
    items = tuple((INT, axis, None, None) for axis in found)
    lowering.emit_view(PERMUTE, lowering.register_of[node.args[0]], lowering.declare(node), items)
    return True


def lower_reshape(lowering: Lowering, node: Node) -> bool:
    """`x.reshape(...)` and `np.reshape(x, ...)`: a view of the array, or of a copy in order."""
    lengths = node.args[1:]
    if len(lengths) == 1 and type(lengths[0]) is tuple:
        lengths = lengths[0]
    if node.kwargs or not lengths or not _is_array(node.args[0]) or len(lengths) > MAX_NDIM:
        return False
    if not all(map(is_index, lengths)) or not isinstance(node.kind, ArrayKind):
        return False
    have_keys(lowering, lengths)
    items = tuple((INT, _bound(lowering, length), None, None) for length in lengths)
    array = lowering.register_of[node.args[0]]
    copy = lowering.new(*lowering.registers[array])
    lowering.emit_view(RESHAPE, array, lowering.declare(node), items, copy)
    return True


VIEW_RULES: dict[str, Rule] = {
    "operator.getitem": lower_getitem,
    "ndarray.T": lower_transposed,
    "ndarray.transpose": lower_transpose,
    "numpy.transpose": lower_transpose,
    "ndarray.reshape": lower_reshape,
    "numpy.reshape": lower_reshape,
}
