"""Whose memory a value lives in: the region's own, or the outside's.

Invariant: a node is *fresh* when no array reachable from it can share memory with anything that
existed before the region began. Only fresh memory may be written by a node; a write to anything
else is an effect, and stands last. `graph.verify` enforces it; the tracer asks before it absorbs.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from dyntrace.graph.kinds import SCALAR_KINDS, ArrayKind, KnownKind, StringKind
from dyntrace.graph.node import INPUT, Node

SCALARS = (KnownKind, *SCALAR_KINDS, StringKind)  # no memory to share


def nodes_in(value: Any) -> Iterator[Node]:
    """The nodes inside an argument: itself, or the items of a tuple, list, dict or slice."""
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
    """The nodes that `node` uses, in evaluation order, each as often as it is used."""
    for value in node.args:
        if isinstance(value, Node):
            yield value
        elif isinstance(value, _HOLDERS):
            yield from nodes_in(value)
    for _, value in node.kwargs:
        yield from nodes_in(value)


def shares(node: Node) -> list[Any]:
    """The arguments the result may be, or look into; numbers look into nothing."""
    if isinstance(node.kind, SCALAR_KINDS):
        return []
    if node.op.aliases and not _works_along_axes(node):
        return [*node.args, *(value for _, value in node.kwargs)]
    return written(node)


def _works_along_axes(node: Node) -> bool:
    """Whether an operation that is the identity without axes has at least one."""
    if not node.op.along_axes or not isinstance(node.kind, ArrayKind) or not node.kind.ndim:
        return False
    rest = [*node.args[1:], *(value for _, value in node.kwargs)]
    return all(
        bool(value) if isinstance(value, (tuple, list)) else _is_plain(value) for value in rest
    )


def _is_plain(value: Any) -> bool:
    return value is None or isinstance(value, (int, str))


def roots(node: Node) -> frozenset[Node]:
    """The nodes whose memory `node` may share: itself unless its operation aliases."""
    return frozenset(found for found in _sources(node) if isinstance(found, Node))


def is_fresh(node: Node) -> bool:
    """Whether everything the value may share memory with was allocated in this region."""
    return all(isinstance(root, Node) and root.op is not INPUT for root in _sources(node))


def written(node: Node) -> list[Any]:
    """The arguments whose memory `node` writes, in the order its operation declares them.

    `out=...` asks NumPy for an array of its own, and writes none of the program's.
    """
    if not node.op.writes:
        return []
    keywords = dict(node.kwargs)
    found: list[Any] = []
    for place in node.op.writes:
        value = keywords.get(place) if isinstance(place, str) else _argument(node, place)
        found.extend(value if isinstance(value, (tuple, list)) else [value])
    return [value for value in found if value is not None and value is not ...]


def _argument(node: Node, place: int) -> Any:
    return node.args[place] if place < len(node.args) else None


def _sources(node: Node) -> Iterator[Any]:
    """The root nodes of `node`, and array constants it looks into."""
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
