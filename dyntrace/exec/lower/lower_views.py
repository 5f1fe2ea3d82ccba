"""Instructions for views: subscripts, permuted axes, reshapes.

Each rule emits one instruction whose first output shares memory with its input. Read
`_native/vm/plan/views.c` next, which computes the strides.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any

from dyntrace.exec.lower.description import (
    Bound,
    EllipsisItem,
    IntItem,
    NewaxisItem,
    PermuteInstruction,
    RegisterTemplate,
    ReshapeInstruction,
    SliceItem,
    SubscriptItem,
    ViewInstruction,
)
from dyntrace.exec.lower.instruction_table import LIMITS
from dyntrace.exec.lower.lowering import MAX_NDIM, Lowering
from dyntrace.graph.kinds import ArrayKind, NumpyScalarKind
from dyntrace.graph.node import Node
from dyntrace.graph.subscripts import index_items, is_integer

Rule = Callable[[Lowering, Node], bool]
MAX_ITEMS = LIMITS["MAX_ITEMS"]


def is_index(value: Any) -> bool:
    """Whether the machine can use a node or constant as an index, a bound or a length."""
    return is_integer(value) and (isinstance(value, Node) or -(2**62) < value < 2**62)


def can_select(index: Any) -> bool:
    """Whether the machine can apply an index: a basic one with integer bounds."""
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
        return RegisterTemplate(reg)
    bound: Bound = value
    return bound


def items_of(lowering: Lowering, index: Any) -> tuple[SubscriptItem, ...]:
    """The description of a basic index."""
    return tuple(_item(lowering, item) for item in index_items(index))


def _item(lowering: Lowering, item: Any) -> SubscriptItem:
    if type(item) is slice:
        start, stop, step = item.start, item.stop, item.step
        return SliceItem(_bound(lowering, start), _bound(lowering, stop), _bound(lowering, step))
    if item is None:
        return NewaxisItem()
    if item is Ellipsis:
        return EllipsisItem()
    return IntItem(_bound(lowering, item))


def need_objects(lowering: Lowering, values: Any) -> None:
    """Make the ints of an index objects, before an instruction that reads them is emitted."""
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
    need_objects(lowering, index)
    items = items_of(lowering, index)
    ins, outs = (lowering.register_of[array],), (lowering.declare(node),)
    lowering.emit_view(ViewInstruction(ins, outs, items))
    return True


def _is_array(value: Any) -> bool:
    return isinstance(value, Node) and isinstance(value.kind, ArrayKind)


def lower_transposed(lowering: Lowering, node: Node) -> bool:
    """`x.T`, `x.transpose()` and `np.transpose(x)`."""
    if len(node.args) != 1 or node.kwargs or not _is_array(node.args[0]):
        return False
    if not isinstance(node.kind, ArrayKind):
        return False
    return _permute(lowering, node, ())


def lower_transpose(lowering: Lowering, node: Node) -> bool:
    """`x.transpose(axes)`, with the axes as one tuple or several ints."""
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
    return _permute(lowering, node, tuple(IntItem(axis) for axis in found))


def _permute(lowering: Lowering, node: Node, items: tuple[IntItem, ...]) -> bool:
    ins, outs = (lowering.register_of[node.args[0]],), (lowering.declare(node),)
    lowering.emit_view(PermuteInstruction(ins, outs, items))
    return True


def lower_reshape(lowering: Lowering, node: Node) -> bool:
    """`x.reshape(...)` and `np.reshape(x, ...)`: a view of the array or of a contiguous copy."""
    lengths = node.args[1:]
    if len(lengths) == 1 and type(lengths[0]) is tuple:
        lengths = lengths[0]
    if node.kwargs or not lengths or not _is_array(node.args[0]) or len(lengths) > MAX_NDIM:
        return False
    if not all(map(is_index, lengths)) or not isinstance(node.kind, ArrayKind):
        return False
    need_objects(lowering, lengths)
    items = tuple(IntItem(_bound(lowering, length)) for length in lengths)
    array = lowering.register_of[node.args[0]]
    copy = lowering.new(*lowering.registers[array])
    outs = (lowering.declare(node), copy)
    lowering.emit_view(ReshapeInstruction((array,), outs, items))
    return True


VIEW_RULES: Mapping[str, Rule] = MappingProxyType(
    {
        "operator.getitem": lower_getitem,
        "ndarray.T": lower_transposed,
        "ndarray.transpose": lower_transpose,
        "numpy.transpose": lower_transpose,
        "ndarray.reshape": lower_reshape,
        "numpy.reshape": lower_reshape,
    }
)
