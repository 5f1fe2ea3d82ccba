"""Definite-assignment analysis: which fast locals are certainly bound before each unit.

A forward must-analysis over basic blocks, exception edges included; sets of localsplus indexes are
bit masks inside. An inlined comprehension (PEP 709) saves a local on the stack, where an unbound
one is NULL, and restores it later; in such code the analysis also follows NULLs on the stack.
Invariant: a local that `bound_before` names may be loaded without a check. Read `flow` for the
blocks, `liveness` for the backward analysis.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Sequence
from itertools import compress, count
from typing import Any, TypeAlias

from dyntrace.asm.flow import Block, blocks, effect, stack_depths
from dyntrace.asm.instructions import Body, MicroOp

__all__ = [
    "Event",
    "LazySets",
    "bound_before",
    "check_loads",
    "local_events",
    "mask_of",
]

# A micro-op on a local: unit index, name, bit of the local.
Event: TypeAlias = tuple[int, str, int]
# Bound locals, and stack slots that may hold NULL.
_State: TypeAlias = tuple[int, int]
# From a block and the state before it to the state after it, and to the weakest state in it: what
# its exception handlers may rely on.
_Run: TypeAlias = Callable[[Block, _State], tuple[_State, _State]]

_LOCAL = frozenset(
    {
        "LOAD_FAST",
        "LOAD_FAST_CHECK",
        "LOAD_FAST_AND_CLEAR",
        "LOAD_CLOSURE",
        "STORE_FAST",
        "DELETE_FAST",
    }
)


def local_events(body: Body, graph: list[Block]) -> list[list[Event]]:
    """For each block, its micro-ops on locals, in order."""
    units = body.units
    return [
        [
            (index, step.name, 1 << step.arg)
            for index in range(block.start, block.end)
            for step in units[index].micro
            if step.name in _LOCAL
        ]
        for block in graph
    ]


def bound_before(body: Body) -> Sequence[frozenset[int]]:
    """For each unit, the locals that are certainly bound before it.

    A slot that holds a cell counts as bound: MAKE_CELL and COPY_FREE_VARS fill it before RESUME.
    """
    return LazySets(_bound_masks(body))


def _bound_masks(body: Body) -> list[int]:
    graph = blocks(body)
    events = local_events(body, graph)
    if _saves_locals(events):
        return _before_each_with_stack(body, graph)
    entry = _solve_by_events(body, graph, events)
    masks = [0] * len(body.units)
    for block, found in zip(graph, events, strict=True):
        bound, start = entry[block.start][0], block.start
        for index, name, bit in found:
            masks[start : index + 1] = [bound] * (index + 1 - start)
            start = index + 1
            bound = bound & ~bit if name == "DELETE_FAST" else bound | bit
        masks[start : block.end] = [bound] * (block.end - start)
    return masks


def check_loads(body: Body) -> Body:
    """Make loads of certainly bound locals LOAD_FAST, all other loads LOAD_FAST_CHECK.

    LOAD_FAST of 3.11 always checks. From 3.12 on, the compiler emits LOAD_FAST_CHECK where it
    cannot prove a local bound; for locals from the 65th on it looks at one basic block at a time
    (`fast_scan_many_locals` in Python/flowgraph.c).
    """
    for unit, bound in zip(body.units, _bound_masks(body), strict=True):
        step = unit.micro[0] if len(unit.micro) == 1 else None
        if step is not None and step.name in ("LOAD_FAST", "LOAD_FAST_CHECK"):
            name = "LOAD_FAST" if bound >> step.arg & 1 else "LOAD_FAST_CHECK"
            if name != step.name:
                unit.micro = (MicroOp(name, step.arg),)
    return body


def _saves_locals(events: list[list[Event]]) -> bool:
    return any(name == "LOAD_FAST_AND_CLEAR" for found in events for _, name, _ in found)


def _solve_by_events(
    body: Body, graph: list[Block], events: list[list[Event]]
) -> dict[int, _State]:
    """The state before each block of a body that saves no locals on the stack."""
    summaries = {b.start: _bound_and_deleted(e) for b, e in zip(graph, events, strict=True)}

    def run(block: Block, state: _State) -> tuple[_State, _State]:
        bound, unbound, deleted = summaries[block.start]
        return (state[0] & ~unbound | bound, 0), (state[0] & ~deleted, 0)

    return _solve(body, graph, run)


def _bound_and_deleted(events: list[Event]) -> tuple[int, int, int]:
    """The locals that the block leaves bound, those it leaves unbound, and those it ever unbinds.

    A load leaves its local bound: if the local had been unbound, it would have raised.
    """
    bound = unbound = deleted = 0
    for _, name, bit in events:
        if name == "DELETE_FAST":
            bound &= ~bit
            unbound |= bit
            deleted |= bit
        else:
            bound |= bit
            unbound &= ~bit
    return bound, unbound, deleted


def _solve(body: Body, graph: list[Block], run: _Run) -> dict[int, _State]:
    """The state before each block that holds on all paths to it."""
    everything = (1 << len(body.local_names)) - 1
    entry = {block.start: (everything, 0) for block in graph}
    entry[0] = (mask_of(body.cells) | _arguments(body), 0)
    by_start = {block.start: block for block in graph}
    waiting = [block.start for block in reversed(graph)]
    queued = set(waiting)
    while waiting:
        start = waiting.pop()
        queued.discard(start)
        block = by_start[start]
        behind, handled = run(block, entry[start])
        edges = [(index, behind) for index in block.successors]
        edges += [(index, handled) for index in block.handlers]
        for index, (bound, nulls) in edges:
            weaker = entry[index][0] & bound, entry[index][1] | nulls
            if weaker != entry[index]:
                entry[index] = weaker
                if index not in queued:
                    queued.add(index)
                    waiting.append(index)
    return entry


def _arguments(body: Body) -> int:
    code = body.code
    count = code.co_argcount + code.co_kwonlyargcount
    count += bool(code.co_flags & inspect.CO_VARARGS) + bool(code.co_flags & inspect.CO_VARKEYWORDS)
    return (1 << count) - 1


def _before_each_with_stack(body: Body, graph: list[Block]) -> list[int]:
    """The bound locals before each unit of a body that saves locals on the stack."""
    depths = stack_depths(body)
    masks = [0] * len(body.units)

    def run(block: Block, state: _State) -> tuple[_State, _State]:
        bound, nulls = state
        for index in range(block.start, block.end):
            masks[index] = state[0]
            depth = depths[index]
            if depth is not None:
                for step in body.units[index].micro:
                    state, depth = _follow(state, step, depth)
                bound, nulls = bound & state[0], nulls | state[1]
        kept = body.units[block.start].handler_depth
        return state, (bound, nulls & (1 << kept) - 1)

    entry = _solve(body, graph, run)
    for block in graph:
        run(block, entry[block.start])
    return masks


def _follow(state: _State, step: MicroOp, depth: int) -> tuple[_State, int]:
    """The state and the stack depth after one micro-op."""
    bound, nulls = state
    pops, pushes = effect(step)
    behind = depth - pops + pushes
    if step.name == "SWAP":
        return (bound, _swapped(nulls, depth - 1, depth - step.arg)), behind
    kept = nulls & (1 << depth - pops) - 1
    if step.name not in _LOCAL:
        return (bound, kept), behind
    bit = 1 << step.arg
    if step.name == "LOAD_FAST_AND_CLEAR":
        return (bound & ~bit, kept | (not bound & bit) << depth), behind
    null = step.name == "STORE_FAST" and nulls >> depth - 1 & 1
    unbinds = null or step.name == "DELETE_FAST"
    return (bound & ~bit if unbinds else bound | bit, kept), behind


def _swapped(nulls: int, first: int, second: int) -> int:
    if (nulls >> first ^ nulls >> second) & 1:
        return nulls ^ (1 << first | 1 << second)
    return nulls


def mask_of(indexes: frozenset[int]) -> int:
    """The bit mask of a set of indexes."""
    return sum(1 << index for index in indexes)


class LazySets(Sequence[frozenset[int]]):
    """A sequence of sets of locals, each made from its mask when it is first read.

    Making all of them at once would take time and space quadratic in a function's length.
    """

    def __init__(self, masks: list[int]) -> None:
        self._masks = masks
        self._made: dict[int, frozenset[int]] = {}

    def __len__(self) -> int:
        return len(self._masks)

    def __getitem__(self, unit: Any) -> Any:
        if isinstance(unit, slice):
            return [self[index] for index in range(*unit.indices(len(self)))]
        mask = self._masks[unit]
        if mask not in self._made:
            digits = f"{mask:b}"[::-1]
            self._made[mask] = frozenset(compress(count(), map("1".__eq__, digits)))
        return self._made[mask]
