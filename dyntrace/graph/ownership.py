"""Whose memory a value lives in: the region's own, or the outside's.

Invariant: a node is *fresh* when no array reachable from it can share memory with anything that
existed before the region began. Only fresh memory may be written by a node; a write to anything
else is an effect, and stands last. `graph.verify` enforces it; the tracer asks before it absorbs.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from dyntrace.graph.node import INPUT, Node


def nodes_in(value: Any) -> Iterator[Node]:
    """The nodes inside an argument: itself, or the items of a tuple, list, dict or slice."""
    if isinstance(value, Node):
        yield value
    elif isinstance(value, (tuple, list)):
        for item in value:
            yield from nodes_in(item)
    elif isinstance(value, dict):
        for item in value.values():
            yield from nodes_in(item)
    elif isinstance(value, slice):
        yield from nodes_in((value.start, value.stop, value.step))


def operands(node: Node) -> Iterator[Node]:
    """The nodes that `node` uses, in evaluation order, each as often as it is used."""
    yield from nodes_in(node.args)
    for _, value in node.kwargs:
        yield from nodes_in(value)


def may_share(node: Node) -> bool:
    """Whether the result may be, or look into, one of the arguments."""
    return node.op.aliases or bool(node.op.writes)


def roots(node: Node) -> frozenset[Node]:
    """The nodes whose memory `node` may share: itself unless its operation aliases."""
    found: set[Node] = set()
    seen: set[Node] = set()
    todo = [node]
    while todo:
        current = todo.pop()
        if current in seen:
            continue
        seen.add(current)
        sources = list(operands(current)) if may_share(current) else []
        if not sources:
            found.add(current)
        todo.extend(sources)
    return frozenset(found)


def is_fresh(node: Node) -> bool:
    """Whether everything the value may share memory with was allocated in this region."""
    return all(root.op is not INPUT for root in roots(node)) and not _holds_constant_array(node)


def _holds_constant_array(node: Node) -> bool:
    """A view of an array constant is outside memory as well."""
    todo, seen = [node], set()
    while todo:
        current = todo.pop()
        if current in seen or not may_share(current):
            continue
        seen.add(current)
        todo.extend(operands(current))
        if any(hasattr(value, "__array_interface__") for value in _constants(current)):
            return True
    return False


def _constants(node: Node) -> Iterator[Any]:
    todo = list(node.args) + [value for _, value in node.kwargs]
    while todo:
        value = todo.pop()
        if isinstance(value, (tuple, list)):
            todo.extend(value)
        elif isinstance(value, dict):
            todo.extend(value.values())
        elif not isinstance(value, (Node, slice)):
            yield value


def written(node: Node) -> list[Any]:
    """The arguments whose memory `node` writes, in the order its operation declares them."""
    keywords = dict(node.kwargs)
    found = []
    for place in node.op.writes:
        value = keywords.get(place) if isinstance(place, str) else _argument(node, place)
        if value is not None:
            found.extend(nodes_in(value) if isinstance(value, (tuple, list)) else [value])
    return found


def _argument(node: Node, place: int) -> Any:
    return node.args[place] if place < len(node.args) else None
