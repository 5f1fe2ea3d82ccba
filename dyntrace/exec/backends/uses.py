"""How often each node is still used, and which values only the evaluation stack holds.

Invariant: the counts are of uses that the compiler has not yet written. An input or an output is
always needed.
A node is stack-only if it has one use and only the stack held its value there in the user's
program. `exec.backends.generation` reads this.
"""

from __future__ import annotations

from collections.abc import Iterator

from dyntrace.exec.effects import writes
from dyntrace.graph.node import Graph, Node
from dyntrace.graph.ownership import nodes_in, operands


class Uses:
    """The uses of one graph's nodes."""

    def __init__(self, graph: Graph) -> None:
        self.inputs = frozenset(graph.inputs)
        self._left: dict[Node, int] = {}
        self._kept = frozenset(_kept(graph))
        consumers = graph.nodes if graph.effect is None else [*graph.nodes, graph.effect]
        for node in consumers:
            for operand in operands(node):
                self._left[operand] = self._left.get(operand, 0) + 1
        self.stack_only = frozenset(
            operand
            for node in graph.nodes
            if node.origin.temporaries
            for operand in self._temporaries(node)
        )

    def is_needed(self, node: Node) -> bool:
        """Whether the value is still needed."""
        return node in self._kept or self._left.get(node, 0) > 0

    def count_use(self, node: Node) -> bool:
        """Count one use; return whether it was the last, of a value that nothing keeps."""
        self._left[node] -= 1
        return not self._left[node] and node not in self._kept

    def moved_operands(self, node: Node) -> set[Node]:
        """The operands that only the stack held: their locals are cleared as they are read."""
        return set(self._temporaries(node)) if node.origin.temporaries else set()

    def _temporaries(self, node: Node) -> Iterator[Node]:
        for index in node.origin.temporaries:
            if index == 0 and node.op.style == "inplace":
                continue  # the left side of `+=` needs a name
            operand = node.args[index] if index < len(node.args) else None
            if isinstance(operand, Node) and self._left.get(operand) == 1:
                if operand not in self._kept:
                    yield operand


def _kept(graph: Graph) -> Iterator[Node]:
    """Inputs, outputs, and what the effect evaluates to."""
    yield from graph.inputs
    yield from nodes_in(graph.outputs)
    if graph.effect is not None:
        yield from nodes_in(writes.value_of(graph.effect))
