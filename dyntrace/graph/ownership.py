"""Alias analysis: whether the memory of a node's result was allocated by the region.

A node is *fresh* if nothing reachable from its result can share memory with an object that existed
before the region began. Invariant: a node may write only to fresh memory; any other write is the
graph's effect, which runs last. The tracer asks `is_fresh` before it absorbs a write. Read
`trace.frame`, where it does so, and `graph.verify`, which checks it again.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from dyntrace.graph.kinds import SCALAR_KINDS, ArrayKind
from dyntrace.graph.node import INPUT, Node


def nodes_in(value: Any) -> Iterator[Node]:
    """The nodes in an argument: the argument itself, or those in a tuple, list, dict or slice."""
    if isinstance(value, Node):
        yield value
    elif isinstance(value, _HOLDERS):
        if isinstance(value, dict):
            value = value.values()
        elif isinstance(value, slice):
            value = (value.start, value.stop, value.step)
        for item in value:
            if isinstance(item, Node):
                yield item
            elif isinstance(item, _HOLDERS):
                yield from nodes_in(item)


_HOLDERS = (tuple, list, dict, slice)


def operands(node: Node) -> Iterator[Node]:
    """The nodes that `node` uses, in evaluation order; one used twice comes twice."""
    for value in node.args:
        if isinstance(value, Node):
            yield value
        elif isinstance(value, _HOLDERS):
            yield from nodes_in(value)
    for _, value in node.kwargs:
        yield from nodes_in(value)


def shares(node: Node) -> list[Any]:
    """The arguments that the result may be, or share memory with; a number shares with none."""
    if isinstance(node.kind, SCALAR_KINDS):
        return []
    if node.op.aliases and not _works_along_axes(node):
        return [*node.args, *(value for _, value in node.kwargs)]
    return written(node)


def _works_along_axes(node: Node) -> bool:
    """Whether an operation that returns its argument without axes (`fftn`) certainly has some.

    It has if its result has dimensions and no argument but the first is empty or computed.
    """
    if not node.op.along_axes or not isinstance(node.kind, ArrayKind) or not node.kind.ndim:
        return False
    rest = [*node.args[1:], *(value for _, value in node.kwargs)]
    return all(
        bool(value) if isinstance(value, (tuple, list)) else _is_plain(value) for value in rest
    )


def _is_plain(value: Any) -> bool:
    return value is None or isinstance(value, (int, str))


def roots(node: Node) -> frozenset[Node]:
    """The nodes that allocated the memory `node` may use: `node` itself unless it aliases."""
    return frozenset(found for found in _sources(node) if isinstance(found, Node))


def is_fresh(node: Node) -> bool:
    """Whether all memory that the result may use was allocated in this region."""
    return all(isinstance(root, Node) and root.op is not INPUT for root in _sources(node))


def written(node: Node) -> list[Any]:
    """The arguments whose memory `node` writes, in the order its operation declares them.

    `out=...` (Ellipsis) is not one: it makes a ufunc return an array instead of a scalar.
    """
    if not node.op.writes:
        return []
    keywords = dict(node.kwargs)
    found: list[Any] = []
    for key in node.op.writes:
        value = keywords.get(key) if isinstance(key, str) else _argument(node, key)
        found.extend(value if isinstance(value, (tuple, list)) else [value])
    return [value for value in found if value is not None and value is not ...]


def _argument(node: Node, position: int) -> Any:
    return node.args[position] if position < len(node.args) else None


def _sources(node: Node) -> Iterator[Any]:
    """The nodes and array constants whose memory `node` may use."""
    seen: set[Node] = set()
    todo = [node]
    while todo:
        current = todo.pop()
        if current in seen:
            continue
        seen.add(current)
        shared = shares(current)
        nodes = list(nodes_in(shared))
        constants = [value for value in _leaves(shared) if isinstance(value, np.ndarray)]
        yield from constants
        if not nodes and not constants:
            yield current
        todo.extend(nodes)


def _leaves(value: Any) -> Iterator[Any]:
    if isinstance(value, (tuple, list)):
        for item in value:
            yield from _leaves(item)
    elif isinstance(value, dict):
        yield from _leaves(list(value.values()))
    else:
        yield value
