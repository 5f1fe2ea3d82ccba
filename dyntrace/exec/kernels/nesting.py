"""Whether a loop has loops within an iteration. Read `loop_text` for why that matters."""

from __future__ import annotations

from typing import Any

from dyntrace.graph.loop_graph import Branch, Goto, LoopGraph

__all__ = ["has_inner_loops"]


def has_inner_loops(loop: LoopGraph) -> bool:
    """Whether control may come back to a block within an iteration."""
    return any(
        isinstance(end, Goto) and end.target.number <= block.number
        for block in loop.blocks
        for end in _parts(block.end)
    )


def _parts(end: Any) -> list[Any]:
    """The terminators in a terminator."""
    return [*_parts(end.then), *_parts(end.otherwise)] if isinstance(end, Branch) else [end]
