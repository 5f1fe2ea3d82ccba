"""Node and Graph: the captured operations of one region, in the order eager NumPy runs them.

A graph is pure but for nodes that write memory the region itself allocated, and for `effect`: at
most one write to outside memory, run last, after everything that can fail. Legal graphs are
defined in `graph.verify`; `graph.show` prints one as runnable NumPy.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from dyntrace.graph.kinds import Kind
from dyntrace.record import field, record


@record(frozen=True)
class Op:
    """One operation: a record in `dyntrace.ops`, unique per name.

    target      what eager runs: called with the node's arguments in order
    family      the table it stands in ("ufunc", "reduction", "linalg", …)
    style       how `show` prints it: "call" np.f(a), "method" a.f(), "attribute" a.f,
                "infix" a + b, "prefix" -a, "item" a[b], "setitem" a[b] = c, "inplace" a += b
    exact       the inferred kind is certain; otherwise the executor checks each result
    aliases     the result may share memory with an argument, or be one
    along_axes  it does so only if it is no array of one dimension or more, or if an argument beside
                the first is empty or computed
    writes      positions (int) or keywords (str) of the arguments whose memory is written
    heavy       worth a thread of its own when large
    blas        runs BLAS or LAPACK: never beside another such node, never on another thread
    """

    name: str
    target: Callable[..., Any]
    family: str
    style: str = "call"
    exact: bool = False
    aliases: bool = False
    along_axes: bool = False
    writes: tuple[int | str, ...] = ()
    heavy: bool = False
    blas: bool = False

    def __repr__(self) -> str:
        return f"<op {self.name}>"


@record(frozen=True)
class Origin:
    """Where a node comes from in the user's source; which arguments were stack-only temporaries.

    Eager NumPy reuses such a temporary's memory from 256 KiB on, which decides result strides and
    operand order; the executors reproduce it (see `exec.elision`).
    """

    filename: str
    lineno: int
    temporaries: tuple[int, ...] = ()


@record(frozen=True, eq=False)
class Node:
    """One operation applied to nodes and constants.

    Arguments are nodes, plain constants, or tuples, lists, dicts and slices of those.
    """

    op: Op
    args: tuple[Any, ...]
    kwargs: tuple[tuple[str, Any], ...]
    kind: Kind
    origin: Origin

    def __repr__(self) -> str:
        return f"<node {self.op.name} -> {self.kind}>"


INPUT = Op("input", lambda index: index, "input", exact=True)


@record(eq=False, weakref_slot=True)
class Graph:
    """The nodes of one region.

    inputs   nodes of op INPUT, in the order the executor receives their values
    nodes    every other node, in program order (the effect is not among them)
    outputs  what the region returns: nodes, inputs, constants, or tuples, lists, dicts, slices of
             those
    effect   the trailing write to outside memory, or None
    """

    inputs: list[Node] = field(default_factory=list)
    nodes: list[Node] = field(default_factory=list)
    outputs: list[Any] = field(default_factory=list)
    effect: Node | None = None

    def __repr__(self) -> str:
        writes = "" if self.effect is None else f", writes by {self.effect.op.name}"
        counts = f"{len(self.inputs)} inputs, {len(self.nodes)} nodes, {len(self.outputs)} outputs"
        return f"<graph: {counts}{writes}>"
