"""What a compiled graph returns, the same for every backend.

Invariant: if a graph has no effect and one output, a node of array or scalar kind, the compiled
graph returns that value. Otherwise it returns a tuple of the outputs. An effect's commit, a
callable without arguments, is the last item of the tuple. If it returns None, CPython runs the
original instructions.

If the graph has an effect and no outputs, the compiled graph may do the effect itself and return
True. A callable with a true attribute `quiet` is called under the user's floating-point modes. It
neither warns nor calls the user's handlers, and returns None if a flag is raised whose mode is not
"ignore". Read `exec.effects.writes` next.
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
