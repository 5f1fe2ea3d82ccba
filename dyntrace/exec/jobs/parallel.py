"""Which nodes of a graph may run on another thread, and when their results are needed.

Invariant: a node starts early only if another heavy node follows before its first use. It is joined
before that use and before any node that writes memory. Nodes with BLAS stay on the calling thread
(the number of BLAS threads changes bits), and so do nodes that write or share memory. Read
`exec.jobs.threads` next.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import Any

from dyntrace.graph.kinds import ArrayKind
from dyntrace.graph.node import Node, Op
from dyntrace.graph.ownership import operands, shares, written


def joins(nodes: Sequence[Node]) -> dict[Node, int]:
    """The nodes to start on another thread, each with the index of the node to join it before."""
    heavy = [index for index, node in enumerate(nodes) if is_movable(node)]
    found = {}
    for index, following in pairwise(heavy):
        end = _first_conflict(nodes, index)
        if following < end:
            found[nodes[index]] = end
    return found


def is_movable(node: Node) -> bool:
    """Whether the node is heavy, without BLAS, and neither writes nor shares memory."""
    if not node.op.heavy or node.op.blas or written(node) or shares(node):
        return False
    return first_array(node) is not None


def first_array(node: Node) -> Node | None:
    """The operand whose size decides, at run time, whether the node moves."""
    return next((used for used in operands(node) if isinstance(used.kind, ArrayKind)), None)


def target_of(op: Op) -> Callable[..., Any]:
    """The function that a node of this operation calls."""
    if op.family != "fft":
        return op.target
    from dyntrace.exec.jobs import transforms

    return transforms.target_of(op)


def _first_conflict(nodes: Sequence[Node], index: int) -> int:
    node = nodes[index]
    for end in range(index + 1, len(nodes)):
        later = nodes[end]
        if written(later) or any(used is node for used in operands(later)):
            return end
    return len(nodes)
