"""Node and Graph: the captured operations of one region, in the order eager NumPy runs them.

Invariant: a node may write memory only if the region allocated it. The graph's `effect` is the one
write to memory from outside; it runs last, after everything that can fail. `graph.verify` checks
that a graph is legal, `graph.show` prints one as runnable NumPy. Read `graph.ownership` next.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from dyntrace.graph.kinds import Kind
from dyntrace.record import field, record


@record(frozen=True)
class Op:
    """What a node calls, and what is known of it. `ops.registry` has a record for each name.

    target      the callable that eager NumPy runs, with the node's arguments
    family      the table the operation is in ("ufunc", "reduction", "linalg", …)
    style       how `graph.show` prints it: "call" np.f(a), "method" a.f(), "attribute" a.f,
                "infix" a + b, "prefix" -a, "item" a[b], "setitem" a[b] = c, "inplace" a += b
    exact       the inferred kind is certain; otherwise the executor checks each result
    aliases     the result may share memory with an argument, or be the argument
    along_axes  with at least one axis the result is a new array; only without axes may the
                operation return its argument, as `np.fft.fftn(a, axes=())` does
    writes      positions (int) or keywords (str) of the arguments whose memory is written
    heavy       large ones are worth a thread of their own
    blas        runs BLAS or LAPACK, so it runs on the region's own thread, with no other such node
                at the same time
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
    """The user's line a node comes from, and which of its arguments were temporaries.

    A temporary is an array that only the evaluation stack refers to. Eager NumPy computes into the
    memory of one of 256 KiB or more (numpy/_core/src/multiarray/temp_elide.c), which affects the
    result's strides and the order of operands; `exec.elision` reproduces both.
    """

    filename: str
    lineno: int
    temporaries: tuple[int, ...] = ()


@record(frozen=True, eq=False)
class Node:
    """An operation applied to arguments.

    An argument is a node, a constant, or a tuple, list, dict or slice of such.
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

    inputs   the nodes of op INPUT, in the order in which the executor gets their values
    nodes    all other nodes but the effect, in program order
    outputs  what the region returns: nodes, inputs, constants, or containers of such
    effect   the write to memory from outside, which runs last, or None
    """

    inputs: list[Node] = field(default_factory=list)
    nodes: list[Node] = field(default_factory=list)
    outputs: list[Any] = field(default_factory=list)
    effect: Node | None = None

    def __repr__(self) -> str:
        writes = "" if self.effect is None else f", writes by {self.effect.op.name}"
        counts = f"{len(self.inputs)} inputs, {len(self.nodes)} nodes, {len(self.outputs)} outputs"
        return f"<graph: {counts}{writes}>"
