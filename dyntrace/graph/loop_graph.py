"""LoopGraph and its blocks: the graph form of a loop, whose iterations run without the interpreter.

A block has nodes like a graph, then one terminator that says where control goes. Values come to a
block from its predecessors as parameters; inputs of the loop can be used everywhere. Invariant: a
block uses only inputs, its own parameters and nodes, and those of the head. Read
`trace.loops.loop_tracer`, which makes loops, and `exec.kernels.loop_text`, which makes machine code
of them.
"""

from __future__ import annotations

from typing import Any

from dyntrace.breaks import BreakReason
from dyntrace.graph.kinds import Kind
from dyntrace.graph.node import Node, Op
from dyntrace.record import field, record

__all__ = [
    "PARAMETER",
    "Again",
    "Branch",
    "Carried",
    "Finish",
    "Goto",
    "LoopBlock",
    "LoopGraph",
    "Stop",
    "Terminator",
]

PARAMETER = Op("parameter", lambda index: index, "input", exact=True)


@record(eq=False)
class LoopBlock:
    """Nodes that run one after the other, and what follows.

    short  whether it heads a loop over a short range, which nobody needs to interrupt
    """

    number: int
    parameters: list[Node] = field(default_factory=list)
    nodes: list[Node] = field(default_factory=list)
    end: Any = None
    short: bool = False

    def __repr__(self) -> str:
        return f"<block {self.number}: {len(self.nodes)} nodes>"


@record(frozen=True, eq=False)
class Goto:
    """Control goes to `target`, whose parameters get `values`: nodes or constants."""

    target: LoopBlock
    values: tuple[Any, ...]


@record(frozen=True, eq=False)
class Branch:
    """`condition`, a node of kind bool, decides between two terminators."""

    condition: Any
    then: Any
    otherwise: Any


@record(frozen=True, eq=False)
class Again:
    """The iteration is complete. `values` are those of the carried slots, `state` the iterator's.

    The parameters of the head get them.
    """

    values: tuple[Any, ...]
    state: tuple[Any, ...]


@record(frozen=True, eq=False)
class Stop:
    """CPython executes this iteration, from its start; why, and the user's line.

    `leaves` tells that the loop ends here by itself: a `break`, a `return`, a test that fails.
    """

    reason: BreakReason
    detail: str
    lineno: int
    leaves: bool = False


@record(frozen=True, eq=False)
class Finish:
    """The iterator has no further item: the loop is left with what the head got."""


Terminator = Finish | Goto | Branch | Again | Stop


@record(eq=False)
class Carried:
    """A slot that the loop stores and that is read after an iteration.

    parameter  its value at the head; None if each iteration stores it before it is read
    initial    what it holds when the loop region is entered; None if that is never read
    kind       of the value; UNKNOWN until a path has come back to the head
    """

    slot: int
    parameter: Node | None
    initial: Node | None
    kind: Kind


@record(eq=False)
class LoopGraph:
    """A loop: its blocks, the first of which is the head.

    inputs    values from before the loop, in the order in which the machine code gets them
    iterator  the input with the iterator that the loop consumes; None for `while`
    state     parameters of the head: what changes of that iterator with each iteration
    more      whether there is a further item, computed in the head; None for `while`
    carried   the slots that the loop stores
    stops     all its stops; their numbers are those of the machine code's exits
    """

    inputs: list[Node]
    head: LoopBlock
    blocks: list[LoopBlock]
    carried: list[Carried]
    iterator: Node | None = None
    state: list[Node] = field(default_factory=list)
    stops: list[Stop] = field(default_factory=list)
