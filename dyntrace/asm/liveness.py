"""Which fast locals matter, and which are certainly bound, before each unit.

Both are fixpoints over basic blocks with sets of localsplus indexes as integer bit masks;
exception edges count. Invariant: what `bound_before` names may be loaded by a stub without a
check, what `live_before` does not name is never read again before it is stored. Read `flow` for
the graph underneath.
"""

from __future__ import annotations

import inspect
from dataclasses import dataclass

from dyntrace.asm.flow import Block, blocks, effect, loop_heads, stack_depths, successors
from dyntrace.asm.instructions import Body, MicroOp, Unit

__all__ = [
    "bound_before",
    "check_loads",
    "live_before",
    "loop_heads",
    "stack_depths",
    "successors",
]

_USES = frozenset(
    {"LOAD_FAST", "LOAD_FAST_CHECK", "LOAD_FAST_AND_CLEAR", "LOAD_CLOSURE", "DELETE_FAST"}
)
_LOCAL = _USES | {"STORE_FAST"}


def live_before(body: Body) -> list[frozenset[int]]:
    """The locals whose value before each unit may still be read; cell and free variables always."""
    graph = blocks(body)
    always = _mask(body.cells)
    summaries = [_use_and_kill(body.units[b.start : b.end]) for b in graph]
    live = {block.start: always for block in graph}
    changed = True
    while changed:
        changed = False
        for block, (used, killed) in zip(reversed(graph), reversed(summaries), strict=True):
            handled = _union(live, block.handlers)
            value = used | _union(live, block.successors) & ~killed | handled | always
            if value != live[block.start]:
                live[block.start] = value
                changed = True
    return _expand_live(body, graph, live, always)


def _use_and_kill(units: list[Unit]) -> tuple[int, int]:
    used = killed = 0
    for unit in reversed(units):
        for step in reversed(unit.micro):
            if step.name in _LOCAL:
                bit = 1 << step.arg
                used, killed = (
                    (used & ~bit, killed | bit)
                    if step.name == "STORE_FAST"
                    else (
                        used | bit,
                        killed,
                    )
                )
    return used, killed


def _expand_live(
    body: Body, graph: list[Block], live: dict[int, int], always: int
) -> list[frozenset[int]]:
    masks = [0] * len(body.units)
    for block in graph:
        handled = _union(live, block.handlers) | always
        value = _union(live, block.successors) | handled
        for unit in reversed(body.units[block.start : block.end]):
            for step in reversed(unit.micro):
                if step.name == "STORE_FAST":
                    value &= ~(1 << step.arg)
                elif step.name in _USES:
                    value |= 1 << step.arg
            value |= handled
            masks[unit.index] = value
    return _sets(masks)


def _union(live: dict[int, int], indexes: tuple[int, ...]) -> int:
    value = 0
    for index in indexes:
        value |= live[index]
    return value


@dataclass(slots=True)
class _State:
    """`bound` locals and the stack slots that may hold NULL (saved by LOAD_FAST_AND_CLEAR)."""

    bound: int
    nulls: int


def bound_before(body: Body) -> list[frozenset[int]]:
    """The locals certainly bound before each unit; a cell variable's slot holds its cell.

    Cells count as bound from the start: the code that precedes RESUME makes them.
    """
    return _sets([state.bound for state in _bindings(body)])


def check_loads(body: Body) -> Body:
    """For Pythons whose LOAD_FAST checks: those that need it become LOAD_FAST_CHECK."""
    for unit, state in zip(body.units, _bindings(body), strict=True):
        for step in unit.micro:
            if step.name == "LOAD_FAST" and not state.bound >> step.arg & 1:
                unit.micro = (MicroOp("LOAD_FAST_CHECK", step.arg),)
    return body


def _bindings(body: Body) -> list[_State]:
    """The state before each unit: a must-analysis forward over blocks, exception edges included."""
    everything = (1 << len(body.local_names)) - 1
    graph = blocks(body)
    depths = stack_depths(body) if _saves_locals(body) else []
    entry = {block.start: _State(everything, 0) for block in graph}
    entry[0].bound = _mask(body.cells) | _arguments(body)
    starts = [block.start for block in graph]
    by_start = dict(zip(starts, graph, strict=True))
    waiting, queued = list(reversed(starts)), set(starts)
    while waiting:
        start = waiting.pop()
        queued.discard(start)
        for changed in _propagate(body, by_start[start], entry, depths):
            if changed not in queued:
                queued.add(changed)
                waiting.append(changed)
    return _expand_bound(body, graph, entry, depths)


def _saves_locals(body: Body) -> bool:
    return any(step.name == "LOAD_FAST_AND_CLEAR" for unit in body.units for step in unit.micro)


def _arguments(body: Body) -> int:
    code = body.code
    count = code.co_argcount + code.co_kwonlyargcount
    count += bool(code.co_flags & inspect.CO_VARARGS) + bool(code.co_flags & inspect.CO_VARKEYWORDS)
    return (1 << count) - 1


def _propagate(
    body: Body, block: Block, entry: dict[int, _State], depths: list[int | None]
) -> list[int]:
    """Runs one block; answers the blocks whose entry state it weakened."""
    state = entry[block.start]
    state = _State(state.bound, state.nulls)
    least, nulls = state.bound, state.nulls
    for unit in body.units[block.start : block.end]:
        if unit.micro:
            _step(state, unit, depths)
            least &= state.bound
            nulls |= state.nulls
    changed = [i for i in block.successors if _meet(entry[i], state.bound, state.nulls)]
    for index in block.handlers:
        depth = depths[index] if depths else None
        kept = nulls & (1 << depth - 1) - 1 if depth else 0
        if _meet(entry[index], least, kept):
            changed.append(index)
    return changed


def _meet(state: _State, bound: int, nulls: int) -> bool:
    bound &= state.bound
    nulls |= state.nulls
    changed = bound != state.bound or nulls != state.nulls
    state.bound, state.nulls = bound, nulls
    return changed


def _step(state: _State, unit: Unit, depths: list[int | None]) -> None:
    """The state after the unit; a load that went through has proved its local bound."""
    if not depths:
        for step in unit.micro:
            if step.name == "DELETE_FAST":
                state.bound &= ~(1 << step.arg)
            elif step.name in _LOCAL:
                state.bound |= 1 << step.arg
        return
    depth = depths[unit.index]
    if depth is not None:
        for step in unit.micro:
            depth = _step_with_stack(state, step, depth)


def _step_with_stack(state: _State, step: MicroOp, depth: int) -> int:
    """One micro-op, following NULLs through the stack; answers the depth after it."""
    pops, pushes = effect(step)
    if step.name in _LOCAL:
        _bind(state, step, depth)
    elif step.name == "SWAP":
        _swap(state, depth - 1, depth - step.arg)
        return depth
    after = depth - pops + pushes
    if step.name != "LOAD_FAST_AND_CLEAR":
        state.nulls &= (1 << depth - pops) - 1
    return after


def _bind(state: _State, step: MicroOp, depth: int) -> None:
    bit = 1 << step.arg
    if step.name == "STORE_FAST":
        null = state.nulls >> depth - 1 & 1
        state.bound = state.bound & ~bit if null else state.bound | bit
    elif step.name == "DELETE_FAST":
        state.bound &= ~bit
    elif step.name == "LOAD_FAST_AND_CLEAR":
        state.nulls &= (1 << depth) - 1
        state.nulls |= (not state.bound & bit) << depth
        state.bound &= ~bit
    else:
        state.bound |= bit


def _swap(state: _State, first: int, second: int) -> None:
    if (state.nulls >> first ^ state.nulls >> second) & 1:
        state.nulls ^= 1 << first | 1 << second


def _expand_bound(
    body: Body, graph: list[Block], entry: dict[int, _State], depths: list[int | None]
) -> list[_State]:
    states: list[_State] = []
    for block in graph:
        state = entry[block.start]
        for unit in body.units[block.start : block.end]:
            states.append(_State(state.bound, state.nulls))
            if unit.micro:
                state = _State(state.bound, state.nulls)
                _step(state, unit, depths)
    return states


def _mask(indexes: frozenset[int]) -> int:
    return sum(1 << index for index in indexes)


def _sets(masks: list[int]) -> list[frozenset[int]]:
    """The masks as sets, equal ones shared."""
    known: dict[int, frozenset[int]] = {}
    for mask in masks:
        if mask not in known:
            known[mask] = frozenset(i for i in range(mask.bit_length()) if mask >> i & 1)
    return [known[mask] for mask in masks]
