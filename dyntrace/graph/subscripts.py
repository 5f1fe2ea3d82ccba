"""Subscripts: what an index of nodes and constants selects.

NumPy calls an index basic if it selects a view: integers, slices, None and Ellipsis
(numpy/_core/src/multiarray/mapping.c). Invariant: the answer holds for every value of the nodes'
kinds; bools, lists, tuples inside a tuple and arrays, even without axes, are never basic here.
"""

from __future__ import annotations

from typing import Any

from dyntrace.graph.kinds import NumpyScalarKind, PythonScalarKind, SliceKind
from dyntrace.graph.node import Node

__all__ = ["index_items", "is_basic", "is_integer"]


def index_items(index: Any) -> tuple[Any, ...]:
    """The items of an index, one for an index that is no tuple."""
    return index if type(index) is tuple else (index,)


def is_basic(index: Any) -> bool:
    """Whether an index selects a view."""
    return all(map(_is_basic_item, index_items(index)))


def _is_basic_item(item: Any) -> bool:
    if isinstance(item, Node) and isinstance(item.kind, SliceKind):
        return True
    return item is None or item is Ellipsis or type(item) is slice or is_integer(item)


def is_integer(value: Any) -> bool:
    """Whether a node or constant is a Python int, which a bool is not, or an integer of NumPy's."""
    if not isinstance(value, Node):
        return type(value) is int
    kind = value.kind
    if isinstance(kind, PythonScalarKind):
        return kind.type is int
    return isinstance(kind, NumpyScalarKind) and kind.dtype.kind in "iu"
