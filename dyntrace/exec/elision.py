"""Eager NumPy's reuse of large temporaries, written out.

Invariant: `call` gives the strides and operand order that eager gives when the arguments named in
`origin.temporaries` were on the stack only. NumPy (temp_elide.c) then computes `a + b` in place in
the temporary, from 256 KiB on. Read `exec.reference` next, its one user.
"""

from __future__ import annotations

from typing import Any

from dyntrace.graph.node import Node


def call(node: Node, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """The node's result, as eager NumPy would have laid it out."""
    return node.op.target(*args, **kwargs)
