"""Live-variable analysis: which fast locals may still be read, exception edges included.

A backward fixpoint over basic blocks; sets of localsplus indexes are bit masks inside. Invariant: a
local that `live_before` leaves out is stored before it is read again, if it is read at all. Read
`bindings` for the forward analysis of which locals are bound, `flow` for the blocks.
"""

from __future__ import annotations

from collections.abc import Sequence

from dyntrace.asm.bindings import Event, LazySets, local_events, mask_of
from dyntrace.asm.flow import Block, blocks
from dyntrace.asm.instructions import Body

__all__ = ["live_before"]


def live_before(body: Body) -> Sequence[frozenset[int]]:
    """For each unit, the locals whose value before it may still be read.

    Cell and free variables are always live. LOAD_FAST_AND_CLEAR and DELETE_FAST count as reads. A
    unit in a try block keeps alive all locals that the handler reads.
    """
    graph = blocks(body)
    always = mask_of(body.cells)
    events = local_events(body, graph)
    summaries = [_use_and_kill(found) for found in events]
    live = {block.start: always for block in graph}
    changed = True
    while changed:
        changed = False
        for block, (used, killed) in zip(reversed(graph), reversed(summaries), strict=True):
            handled = _union(live, block.handlers) | always
            value = used | _union(live, block.successors) & ~killed | handled
            if value != live[block.start]:
                live[block.start] = value
                changed = True
    return LazySets(_live_masks(len(body.units), graph, events, live, always))


def _use_and_kill(events: list[Event]) -> tuple[int, int]:
    used = killed = 0
    for _, name, bit in reversed(events):
        if name == "STORE_FAST":
            used &= ~bit
            killed |= bit
        else:
            used |= bit
    return used, killed


def _live_masks(
    count: int, graph: list[Block], events: list[list[Event]], live: dict[int, int], always: int
) -> list[int]:
    """The live locals before each unit, given those at the start of each block."""
    masks = [0] * count
    for block, found in zip(graph, events, strict=True):
        handled = _union(live, block.handlers) | always
        value = _union(live, block.successors) | handled
        end = block.end
        for index, name, bit in reversed(found):
            if index + 1 < end:
                masks[index + 1 : end] = [value] * (end - index - 1)
                end = index + 1
            value = (value & ~bit | handled) if name == "STORE_FAST" else value | bit
        masks[block.start : end] = [value] * (end - block.start)
    return masks


def _union(live: dict[int, int], indexes: tuple[int, ...]) -> int:
    value = 0
    for index in indexes:
        value |= live[index]
    return value
