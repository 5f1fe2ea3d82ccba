"""What comes of a loop that is emitted: its text, or the operation that prevents it.

Invariant: what is kept of a text for reports is small and holds none of the user's objects. Read
`loop_text` for how a text is made, `report.collect_loops` for who reads what is kept.
"""

from __future__ import annotations

import zlib
from typing import Any

from dyntrace.breaks import CATALOGUE, LOOP_LEFT, reason
from dyntrace.exec.kernels.emission import Site
from dyntrace.exec.kernels.held import NoRule
from dyntrace.graph.kinds import type_name
from dyntrace.graph.node import Node
from dyntrace.record import record

__all__ = ["KeptText", "LoopText", "cause_of", "obstacle_among"]


@record(frozen=True)
class LoopText:
    """A loop as text.

    inputs, outputs  the codes of `_native/ahead/loop_program.c`
    sites            where iterations may be left, in the order of the exits' numbers
    functions        the names of the functions in the context's table
    """

    text: str
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    sites: tuple[Site, ...]
    functions: tuple[Any, ...]

    def kept(self) -> KeptText:
        """What reports need of it."""
        return KeptText(self.sites, zlib.compress(self.text.encode()))


@record(frozen=True, eq=False)
class KeptText:
    """The text of a loop in little space, with the places where its iterations may be left."""

    sites: tuple[Site, ...]
    packed: bytes

    @property
    def text(self) -> str:
        return zlib.decompress(self.packed).decode()


def cause_of(node: Node, found: NoRule) -> str:
    """The cause of a site where an operation has no form for its operands, or none at all."""
    name = node.op.name
    if found.detail != name:
        return f"{found.reason.code} {name}, {found.detail}"
    held = ", ".join(type_name(arg.kind) for arg in node.args if isinstance(arg, Node))
    return f"{found.reason.code} {name} of {held}" if held else f"{found.reason.code} {name}"


def obstacle_among(sites: list[Site]) -> NoRule:
    """Why no iteration can be completed: the first operation, or instruction, that has no form."""
    for site in sites:
        code, _, detail = site.cause.partition(" ")
        if code in CATALOGUE and code != LOOP_LEFT.code:
            return NoRule(detail, site.lineno, reason(code))
    return NoRule("no iteration comes to its end")
