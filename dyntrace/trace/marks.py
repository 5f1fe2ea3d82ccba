"""Marks that the public face leaves on functions and the tracer reads: original, disabled, break.

Invariant: a mark stands in the function's own dict or in its code, so it dies with the function.
`api` sets them.
"""

from __future__ import annotations

import types
from typing import Any, cast

__all__ = [
    "MARK",
    "Mark",
    "graph_break",
    "is_disabled",
    "is_graph_break",
    "is_left_alone",
    "left_alone",
    "mark_of",
    "original_of",
]

MARK = "__dyntrace__"
_LEFT_ALONE = ("dyntrace.disable",)


class Mark:
    """What an optimised function carries: its unit, its family, the function it was made from.

    `functools.wraps` copies a function's dict, so a mark names its owner and counts only there. A
    pickled or copied mark is empty.
    """

    __slots__ = ("family", "original", "owner", "unit")

    def __init__(self, unit: Any = None, family: Any = None, original: Any = None) -> None:
        self.unit = unit
        self.family = family
        self.original = original
        self.owner: Any = None

    def __reduce__(self) -> tuple[type[Mark], tuple[()]]:
        return (Mark, ())


def mark_of(function: Any) -> Mark | None:
    """The mark of an optimised function, else None."""
    found = getattr(function, "__dict__", {}).get(MARK)
    owned = isinstance(found, Mark) and found.owner is not None and found.owner() is function
    return found if owned else None


def graph_break() -> None:
    """Force a graph break here; does nothing when the program runs without dyntrace."""


def is_graph_break(function: types.FunctionType) -> bool:
    return function is graph_break


def is_disabled(function: types.FunctionType) -> bool:
    return is_left_alone(function.__code__)


def left_alone(code: types.CodeType) -> types.CodeType:
    """A copy of `code` that the tracer and the frame hook leave alone."""
    return code.replace(co_consts=(*code.co_consts, _LEFT_ALONE))


def is_left_alone(code: types.CodeType) -> bool:
    return bool(code.co_consts) and code.co_consts[-1] == _LEFT_ALONE


def original_of(function: types.FunctionType) -> types.FunctionType:
    """The function an optimised one was made from; any other function itself."""
    mark = mark_of(function)
    return function if mark is None else cast(types.FunctionType, mark.original)
