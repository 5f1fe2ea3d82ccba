"""Control flow and stack effects of micro-ops.

`effect` says how many values a micro-op pops and pushes. A BREAK carries both numbers in its
argument, so the version tables state those of refused instructions. Invariant: in code that
CPython's compiler made, all paths to a unit arrive with the same stack depth. Read `bindings` and
`liveness` next.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from itertools import pairwise
from types import MappingProxyType
from typing import Any

from dyntrace.asm.instructions import Body, MicroOp, Unit
from dyntrace.errors import AssemblyError
from dyntrace.record import record

__all__ = [
    "MICRO_OPS",
    "Block",
    "blocks",
    "effect",
    "loop_heads",
    "merge_points",
    "stack_depths",
    "successors",
]

_LEAVES = frozenset({"JUMP", "JUMP_BACKWARD", "RETURN_VALUE"})

_EFFECTS: Mapping[str, tuple[int, int]] = MappingProxyType(
    {
        "LOAD_CONST": (0, 1),
        "LOAD_FAST": (0, 1),
        "LOAD_FAST_CHECK": (0, 1),
        "LOAD_FAST_AND_CLEAR": (0, 1),
        "STORE_FAST": (1, 0),
        "DELETE_FAST": (0, 0),
        "LOAD_DEREF": (0, 1),
        "STORE_DEREF": (1, 0),
        "LOAD_CLOSURE": (0, 1),
        "LOAD_GLOBAL": (0, 1),
        "LOAD_NAME": (0, 1),
        "STORE_NAME": (1, 0),
        "STORE_GLOBAL": (1, 0),
        "LOAD_ATTR": (1, 1),
        "LOAD_METHOD": (1, 2),
        "STORE_ATTR": (2, 0),
        "PUSH_NULL": (0, 1),
        "BINARY": (2, 1),
        "BINARY_SUBSCR": (2, 1),
        "BINARY_SLICE": (3, 1),
        "STORE_SUBSCR": (3, 0),
        "STORE_SLICE": (4, 0),
        "COMPARE": (2, 1),
        "IS": (2, 1),
        "CONTAINS": (2, 1),
        "UNARY": (1, 1),
        "TO_BOOL": (1, 1),
        "LIST_TO_TUPLE": (1, 1),
        "LIST_EXTEND": (1, 0),
        "LIST_APPEND": (1, 0),
        "DICT_MERGE": (1, 0),
        "DICT_UPDATE": (1, 0),
        "SET_UPDATE": (1, 0),
        "SET_ADD": (1, 0),
        "MAP_ADD": (2, 0),
        "SWAP": (0, 0),
        "COPY": (0, 1),
        "POP_TOP": (1, 0),
        "NOP": (0, 0),
        "RESUME": (0, 0),
        "GET_ITER": (1, 1),
        "FOR_ITER": (0, 1),
        "END_FOR": (2, 0),
        "GET_LEN": (0, 1),
        "JUMP": (0, 0),
        "JUMP_BACKWARD": (0, 0),
        "POP_JUMP_IF": (1, 0),
        "JUMP_IF_OR_POP": (1, 0),
        "RETURN_VALUE": (1, 0),
        "CONVERT": (1, 1),
    }
)

_COUNTED: Mapping[str, Callable[[Any], tuple[int, int]]] = MappingProxyType(
    {
        "CALL": lambda arg: (arg[0] + 2, 1),
        "CALL_FUNCTION_EX": lambda has_kwargs: (3 + has_kwargs, 1),
        "BUILD_TUPLE": lambda count: (count, 1),
        "BUILD_LIST": lambda count: (count, 1),
        "BUILD_SET": lambda count: (count, 1),
        "BUILD_MAP": lambda count: (2 * count, 1),
        "BUILD_CONST_KEY_MAP": lambda count: (count + 1, 1),
        "BUILD_SLICE": lambda count: (count, 1),
        "BUILD_STRING": lambda count: (count, 1),
        "UNPACK_SEQUENCE": lambda count: (1, count),
        "UNPACK_EX": lambda arg: (1, (arg & 255) + 1 + (arg >> 8)),
        "MAKE_FUNCTION": lambda flags: (1 + flags.bit_count(), 1),
        "FORMAT": lambda arg: (1 + arg[1], 1),
        "BREAK": lambda arg: (arg[1], arg[2] or 0),
    }
)

MICRO_OPS = frozenset({*_EFFECTS, *_COUNTED})


def effect(step: MicroOp) -> tuple[int, int]:
    """How many values a micro-op pops and pushes if it does not jump."""
    if step.name in _EFFECTS:
        return _EFFECTS[step.name]
    return _COUNTED[step.name](step.arg)


def successors(body: Body, index: int) -> tuple[int, ...]:
    """The units that may follow unless an exception is raised: the next one, then the target."""
    unit = body.units[index]
    if not unit.micro:
        return (index + 1,)
    step = unit.micro[-1]
    if unit.target is not None:
        return _jump_successors(unit, step)
    if step.name == "RETURN_VALUE" or (step.name == "BREAK" and step.arg[2] is None):
        return ()
    return (index + 1,)


def _jump_successors(unit: Unit, step: MicroOp) -> tuple[int, ...]:
    """The successors of a unit that jumps.

    A BREAK that jumps is a SEND with its resume loop; it only ever continues at its target.
    """
    assert unit.target is not None
    if step.name == "BREAK":
        return (unit.target,)
    if step.name in _LEAVES:
        return (step.arg,)
    return (unit.index + 1, step.arg if step.name == "FOR_ITER" else step.arg[1])


def may_return(body: Body, index: int) -> bool:
    """Whether a path from unit `index` reaches a return; False if every path raises."""
    waiting, seen = [index], {index}
    while waiting:
        unit = body.units[waiting.pop()]
        if unit.micro and unit.micro[-1].name == "RETURN_VALUE":
            return True
        caught = () if unit.handler is None else (unit.handler,)
        following = {*successors(body, unit.index), *caught} - seen
        seen |= following
        waiting += following
    return False


def loop_heads(body: Body) -> frozenset[int]:
    """The targets of backward jumps."""
    return frozenset(
        target
        for unit in body.units
        if (target := unit.target) is not None and target <= unit.index
    )


def merge_points(body: Body) -> frozenset[int]:
    """The units with more than one predecessor; exception edges do not count."""
    jumps = [unit.index for unit in body.units if unit.target is not None]
    targets = Counter(successors(body, index)[-1] for index in jumps)
    return frozenset(
        target
        for target, count in targets.items()
        if count > 1 or target in successors(body, target - 1)
    )


@record()
class Block:
    """Units `start` to `end` (exclusive), which run in order and have the same handlers."""

    start: int
    end: int
    successors: tuple[int, ...]
    handlers: tuple[int, ...]


def blocks(body: Body) -> list[Block]:
    """The basic blocks, in order.

    Successors and handlers are indexes of units, and each of these units starts a block.
    """
    count = len(body.units)
    leaders = {0, count}
    after: dict[int, tuple[int, ...]] = {}
    for unit in body.units:
        following = successors(body, unit.index)
        if following != (unit.index + 1,):
            after[unit.index] = following
            leaders.add(unit.index + 1)
            leaders.update(following)
        if unit.target is not None:
            leaders.add(unit.target)
    for covered in body.ranges:
        leaders |= {covered.handler, covered.start, covered.end}
        leaders |= {covered.start + 1} if covered.start_delta else set()
        leaders |= {covered.end + 1} if covered.end_delta else set()
    if max(leaders) > count or any(count in following for following in after.values()):
        raise AssemblyError("control runs off the end of the code")
    starts = sorted(leaders)
    return [
        Block(start, end, after.get(end - 1, (end,)), body.units[start].handlers)
        for start, end in pairwise(starts)
    ]


def stack_depths(body: Body) -> list[int | None]:
    """The stack depth before each unit; None for units that no path reaches.

    AssemblyError if two paths reach a unit with different depths.
    """
    depths: list[int | None] = [None] * len(body.units)
    waiting = [(0, 0)]
    waiting += [(r.handler, r.depth + r.lasti + 1) for r in body.ranges]
    while waiting:
        index, depth = waiting.pop()
        if depths[index] is not None:
            if depths[index] != depth:
                raise AssemblyError(
                    f"unit {index} is reached at depths {depths[index]} and {depth}"
                )
            continue
        depths[index] = depth
        unit = body.units[index]
        for step in unit.micro:
            pops, pushes = effect(step)
            depth += pushes - pops
        waiting += _depths_after(successors(body, index), unit, depth)
    return depths


def _depths_after(following: tuple[int, ...], unit: Unit, depth: int) -> list[tuple[int, int]]:
    """The depth at each successor, given the depth if the unit does not jump.

    A FOR_ITER that jumps has popped the iterator and pushed no item. A JUMP_IF_OR_POP that jumps
    has popped nothing.
    """
    if len(following) < 2:
        return [(index, depth) for index in following]
    name = unit.micro[-1].name
    jumped = depth + {"FOR_ITER": -2, "JUMP_IF_OR_POP": 1}.get(name, 0)
    return [(following[0], depth), (following[1], jumped)]
