"""`verify(graph)` defines which graphs are legal.

Invariant: any backend can run a graph that passes. Each value is defined before it is used, and
only the effect writes memory from outside; it is separate from the nodes, so it can run after
everything that can fail. `weaving.regions` verifies each graph before it is compiled if strict
mode is on, as under test. Read `graph.ownership` for the rules on memory.
"""

from __future__ import annotations

from types import MappingProxyType
from typing import Any

from dyntrace.errors import InternalError
from dyntrace.graph.kinds import ArrayKind, Kind
from dyntrace.graph.node import INPUT, Graph, Node, Op, Origin
from dyntrace.graph.ownership import is_fresh, nodes_in, operands, written

_ARITY = MappingProxyType(
    {"infix": 2, "prefix": 1, "item": 2, "attribute": 1, "setitem": 3, "inplace": 2}
)


def verify(graph: Graph) -> None:
    """Raise InternalError, with what is wrong and where, unless `graph` is legal."""
    defined: set[Node] = set()
    for index, node in enumerate(graph.inputs):
        _verify_input(node, index)
        defined.add(node)
    for node in graph.nodes:
        _verify_node(node, defined)
        _verify_owned_writes(node)
        defined.add(node)
    _verify_effect(graph, defined)
    _verify_outputs(graph, defined)


def _verify_input(node: Node, index: int) -> None:
    _verify_shape(node)
    if node.op is not INPUT or node.args != (index,):
        raise _error(node, f"input {index} is not a node of op input with its index")


def _verify_node(node: Node, defined: set[Node]) -> None:
    _verify_shape(node)
    if node.op is INPUT:
        raise _error(node, "an input stands among the nodes")
    if node in defined:
        raise _error(node, "it stands in the graph twice")
    for used in operands(node):
        if used not in defined:
            raise _error(node, f"it uses {used}, which is not defined before it")
    wanted = _ARITY.get(node.op.style)
    if wanted is not None and (len(node.args) != wanted or node.kwargs):
        raise _error(node, f"style {node.op.style!r} takes {wanted} arguments")
    if any(not 0 <= position < len(node.args) for position in node.origin.temporaries):
        raise _error(node, "its temporaries are not positions of its arguments")


def _verify_shape(node: Any) -> None:
    """Check the types of the fields that `graph.node` declares."""
    if not isinstance(node, Node):
        raise InternalError(f"illegal graph: {node!r} is not a node")
    if not isinstance(node.op, Op):
        raise _error(node, "it has no operation")
    if not isinstance(node.kind, Kind):
        raise _error(node, "it has no kind")
    if not isinstance(node.origin, Origin):
        raise _error(node, "it has no origin")


def _verify_owned_writes(node: Node) -> None:
    for target in written(node):
        if not isinstance(target, Node):
            raise _error(node, f"it writes a constant, {type(target).__name__}")
        if isinstance(target.kind, ArrayKind) and not is_fresh(target):
            raise _error(node, "it writes memory that the region did not allocate")
    if node.op.style == "setitem" and not node.op.writes:
        raise _error(node, "it writes without saying so")


def _verify_effect(graph: Graph, defined: set[Node]) -> None:
    effect = graph.effect
    if effect is None:
        return
    if effect in defined:
        raise _error(effect, "the effect stands among the nodes, too")
    _verify_node(effect, defined)
    if not any(isinstance(target, Node) for target in written(effect)):
        raise _error(effect, "the effect writes nothing")
    defined.add(effect)


def _verify_outputs(graph: Graph, defined: set[Node]) -> None:
    for node in nodes_in(graph.outputs):
        if node not in defined:
            raise _error(node, "it is an output but stands nowhere in the graph")


def _error(node: Node, problem: str) -> InternalError:
    name = getattr(node.op, "name", "a node")
    line = ""
    if isinstance(node.origin, Origin):
        line = f" ({node.origin.filename}:{node.origin.lineno})"
    return InternalError(f"illegal graph: {name}{line}: {problem}")
