"""Sites: the loops of a code object, as far as its bytecode tells.

A loop region stands before the head of a loop. Its stub passes the slots that the body reads and
the iterator, and stores those that the body sets and that are read later. Of the others it clears
those that every iteration sets: what an arm may set that no iteration has reached lives on, as its
object may be the user's. Invariant: nothing here knows kinds; a slot that is passed is certainly
bound at the head. Read `trace.loops.loop_tracer` next.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from dyntrace.asm.bindings import bound_before
from dyntrace.asm.flow import successors
from dyntrace.asm.instructions import Body, MicroOp
from dyntrace.breaks import LOOP_TOO_LARGE, LOOP_UNIT, BreakReason, reason
from dyntrace.record import record
from dyntrace.trace.code_facts import CodeFacts
from dyntrace.trace.regions.flush import Layout
from dyntrace.trace.semantics.obstacles import OBSTACLES
from dyntrace.trace.sources import CellVariable, Local, Source, StackItem

__all__ = ["LoopSite", "loop_sites"]

_LOADS = frozenset({"LOAD_FAST", "LOAD_FAST_CHECK", "LOAD_DEREF"})
_STORES = frozenset({"STORE_FAST", "STORE_DEREF"})
Obstacle = tuple[BreakReason, str, int]
MAX_ARGUMENTS = 60
_NEVER = frozenset(OBSTACLES) - {"STORE_DEREF"} | {"BREAK", "LIST_APPEND", "MAP_ADD"}


@record(frozen=True, eq=False)
class LoopSite:
    """One loop.

    head      the unit where each iteration begins
    units     those of the loop
    is_for    whether the head takes an item from an iterator on the stack
    stored    the slots that the body sets
    carried   those of them that are read later, in the order in which the stub stores them
    passed    the slots whose values the stub passes
    layout    of the stub
    unbound   slots that may be unbound at the head: an iteration that reads one before it stores
              it, or does not store it, is CPython's
    obstacle  why the loop cannot have a region, with a detail and the line; None if it can
    """

    head: int
    units: frozenset[int]
    is_for: bool
    stored: frozenset[int]
    carried: tuple[int, ...]
    passed: tuple[int, ...]
    layout: Layout
    lineno: int
    unbound: frozenset[int]
    obstacle: Obstacle | None


def loop_sites(facts: CodeFacts) -> dict[int, LoopSite]:
    """The loops of a code object, by their heads."""
    heads = [head for head in sorted(facts.heads) if _is_loop(facts, head)]
    if not heads:
        return {}
    before = _predecessors(facts.body, facts.depths)
    bound = bound_before(facts.body)
    return {head: _site(facts, head, before, bound[head]) for head in heads}


def _is_loop(facts: CodeFacts, head: int) -> bool:
    """Whether it is a loop of the user's, and not the waiting loop of `await` and `yield from`."""
    steps = facts.body.units[head].micro
    return facts.depths[head] is not None and not (steps and steps[-1].name == "BREAK")


def _predecessors(body: Body, depths: list[int | None]) -> dict[int, list[int]]:
    found: dict[int, list[int]] = {}
    for unit in body.units:
        if depths[unit.index] is not None:
            for target in successors(body, unit.index):
                found.setdefault(target, []).append(unit.index)
    return found


def _natural_loop(head: int, before: Mapping[int, list[int]]) -> frozenset[int]:
    """The units from which control can come back to `head` without passing it."""
    found = {head}
    waiting = [unit for unit in before.get(head, ()) if unit >= head]
    while waiting:
        unit = waiting.pop()
        if unit not in found:
            found.add(unit)
            waiting += before.get(unit, ())
    return frozenset(found)


def _site(
    facts: CodeFacts, head: int, before: Mapping[int, list[int]], bound: frozenset[int]
) -> LoopSite:
    body = facts.body
    units = _natural_loop(head, before)
    stored = frozenset(step.arg for _, step in _steps(body, units) if step.name in _STORES)
    read = _read_before_stored(body, head, units)
    live = stored if facts.observed else stored & facts.live[head]
    always = _always_stored(body, head, units)
    needed = live - always
    passed = sorted((read | needed) & bound)
    is_for = [step.name for step in body.units[head].micro[-1:]] == ["FOR_ITER"]
    layout = _layout(facts, head, is_for, passed, sorted(live), sorted(always - live))
    line = body.units[head].location.line or body.code.co_firstlineno
    obstacle = _obstacle(body, head, units)
    if obstacle is None and len(layout.arguments) > MAX_ARGUMENTS:
        obstacle = LOOP_TOO_LARGE, "variables", line
    return LoopSite(
        head,
        units,
        is_for,
        stored,
        tuple(sorted(live)),
        tuple(passed),
        layout,
        line,
        frozenset(live - bound),
        obstacle,
    )


def _obstacle(body: Body, head: int, units: frozenset[int]) -> Obstacle | None:
    """The first instruction that is always CPython's, if every path back to the head has one."""
    waiting, seen, found = [head], {head}, []
    while waiting:
        unit = waiting.pop()
        if any(step.name in _NEVER for step in body.units[unit].micro):
            found.append(unit)
            continue
        for target in successors(body, unit):
            if target == head:
                return None
            if target in units and target not in seen:
                seen.add(target)
                waiting.append(target)
    first = body.units[min(found, default=head)]
    detail = next((_name_of(step) for step in first.micro if step.name in _NEVER), "")
    return LOOP_UNIT, detail, first.location.line or body.code.co_firstlineno


def _name_of(step: MicroOp) -> str:
    """What an instruction that is always CPython's does, in words."""
    if step.name == "BREAK":
        return reason(step.arg[0]).text
    return OBSTACLES[step.name].text if step.name in OBSTACLES else "an item of a comprehension"


def _steps(body: Body, units: frozenset[int]) -> Iterator[tuple[int, MicroOp]]:
    for index in units:
        for step in body.units[index].micro:
            yield index, step


def _layout(
    facts: CodeFacts,
    head: int,
    is_for: bool,
    passed: list[int],
    carried: list[int],
    dead: list[int],
) -> Layout:
    cells = facts.body.cells
    depth = facts.depths[head] or 0
    arguments: list[Source] = [
        CellVariable(index) if index in cells else Local(index) for index in passed
    ]
    if is_for:
        arguments.append(StackItem(depth - 1))
    return Layout(
        start=head,
        end=head,
        arguments=tuple(arguments),
        dropped=(),
        stores=tuple((index, index in cells) for index in carried),
        pushes=(),
        cleared=tuple(index for index in dead if index not in cells),
        depth=depth,
        commit=False,
        bare=False,
    )


def _inside(body: Body, unit: int, units: frozenset[int], head: int) -> list[int]:
    """The successors of `unit` in the same iteration."""
    return [target for target in successors(body, unit) if target in units and target != head]


def _read_before_stored(body: Body, head: int, units: frozenset[int]) -> frozenset[int]:
    """The slots that some iteration may read before it stores them."""
    first_uses = {unit: _uses(body, unit) for unit in units}
    live: dict[int, frozenset[int]] = {unit: frozenset() for unit in units}
    changed = True
    while changed:
        changed = False
        for unit in sorted(units, reverse=True):
            after: frozenset[int] = frozenset().union(
                *(live[target] for target in _inside(body, unit, units, head))
            )
            used, killed = first_uses[unit]
            found = used | (after - killed)
            if found != live[unit]:
                live[unit], changed = found, True
    return live[head]


def _uses(body: Body, unit: int) -> tuple[frozenset[int], frozenset[int]]:
    """The slots that a unit reads before it stores them, and those that it stores."""
    used: set[int] = set()
    stored: set[int] = set()
    for step in body.units[unit].micro:
        if step.name in _LOADS and step.arg not in stored:
            used.add(step.arg)
        elif step.name in _STORES:
            stored.add(step.arg)
    return frozenset(used), frozenset(stored)


def _always_stored(body: Body, head: int, units: frozenset[int]) -> frozenset[int]:
    """The slots that every iteration that comes back to the head has stored."""
    stores = {unit: _uses(body, unit)[1] for unit in units}
    everything = frozenset().union(*stores.values())
    after = dict.fromkeys(units, everything)
    after[head] = stores[head]
    changed = True
    while changed:
        changed = False
        for unit in sorted(units):
            for target in _inside(body, unit, units, head):
                found = after[target] & (after[unit] | stores[target])
                if found != after[target]:
                    after[target], changed = found, True
    ends = [unit for unit in units if head in successors(body, unit)]
    return frozenset.intersection(*(after[unit] for unit in ends)) if ends else frozenset()
