"""Obstacles: instructions that keep a body from being inlined, whatever the arguments are.

Without this check, inlining would trace a body up to the obstacle in vain, and in a chain of calls
each caller would do so again. Invariant: the handlers of the micro-ops in `OBSTACLES` raise in
every inlined frame, so a body that is refused here could not be traced. Read
`trace.semantics.inline`, the user, next.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from dyntrace.asm.flow import successors
from dyntrace.asm.instructions import Body, Unit
from dyntrace.breaks import (
    ATTRIBUTE_STORE,
    MAKES_TEXT,
    NOT_INLINED,
    STATE_DEPENDENT,
    UNSUPPORTED_OPERANDS,
    BreakReason,
    reason,
)
from dyntrace.trace.stepping import first_unit

__all__ = ["OBSTACLES", "obstacle_in"]

OBSTACLES: Mapping[str, BreakReason] = MappingProxyType(
    {
        **dict.fromkeys(("LOAD_CLOSURE", "LOAD_FAST_AND_CLEAR"), NOT_INLINED),
        **dict.fromkeys(("LOAD_NAME", "MAKE_FUNCTION"), STATE_DEPENDENT),
        **dict.fromkeys(
            ("STORE_NAME", "STORE_GLOBAL", "STORE_DEREF", "STORE_ATTR"), ATTRIBUTE_STORE
        ),
        **dict.fromkeys(("BUILD_SET", "SET_ADD", "SET_UPDATE"), UNSUPPORTED_OPERANDS),
        **dict.fromkeys(("BUILD_STRING", "FORMAT", "CONVERT"), MAKES_TEXT),
    }
)


def obstacle_in(body: Body) -> tuple[int | None, BreakReason] | None:
    """The line and reason of the first obstacle if each path to a return has one, else None.

    An obstacle after which control can go on is preferred to a `raise`.
    """
    found: dict[int, BreakReason] = {}
    start = first_unit(body)
    waiting, seen = [start], {start}
    while waiting:
        unit = body.units[waiting.pop()]
        refusal = _refusal(unit)
        if refusal is not None:
            found[unit.index] = refusal
            continue
        if unit.micro and unit.micro[-1].name == "RETURN_VALUE":
            return None
        following = [index for index in successors(body, unit.index) if index not in seen]
        seen.update(following)
        waiting += following
    if not found:
        return None  # the body never returns
    first = min([index for index in found if successors(body, index)] or found)
    return body.units[first].location.line, found[first]


def _refusal(unit: Unit) -> BreakReason | None:
    for step in unit.micro:
        if step.name == "BREAK":
            return reason(step.arg[0])
        if step.name in OBSTACLES:
            return OBSTACLES[step.name]
    return None
