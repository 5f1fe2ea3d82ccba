"""What a compiled graph returns, the same for every backend.

Invariant: a graph without an effect and with exactly one output that is a node of array or scalar
kind returns that value itself; any other returns a tuple of its outputs; an effect's commit, a
callable of no arguments, is the last item of that tuple. None means: run the original instructions.

A compiled graph may return True instead of the tuple if the graph has an effect and no outputs: the
effect is done. If the callable has an attribute `quiet` that is True when it is put to use, it is
called under the user's own floating-point modes: it neither warns nor calls the user's handlers,
and returns None where a flag is raised whose mode is not "ignore". Read `exec.effects.writes` next.
"""

from __future__ import annotations

from dyntrace.graph.kinds import NUMERIC_KINDS
from dyntrace.graph.node import Graph, Node


def returns_bare_value(graph: Graph) -> bool:
    """Whether the result is the single output itself and not a tuple of outputs."""
    if graph.effect is not None or len(graph.outputs) != 1:
        return False
    output = graph.outputs[0]
    return isinstance(output, Node) and isinstance(output.kind, NUMERIC_KINDS)
