"""Marks that the public face leaves on functions and the tracer reads: original, disabled, break.

Invariant: a mark is an attribute in the function's own dict, so it copies, pickles and dies with
the function. `api` sets them.
"""

from __future__ import annotations

import types
from typing import Any, cast

__all__ = ["DISABLED", "UNIT", "graph_break", "is_disabled", "is_graph_break", "original_of"]

UNIT = "__dyntrace_unit__"
DISABLED = "__dyntrace_disabled__"


def graph_break() -> None:
    """Force a graph break here; does nothing when the program runs without dyntrace."""


def is_graph_break(function: types.FunctionType) -> bool:
    return function is graph_break


def is_disabled(function: types.FunctionType) -> bool:
    return bool(function.__dict__.get(DISABLED, False))


def original_of(function: types.FunctionType) -> types.FunctionType:
    """The function an optimised one was made from; any other function itself."""
    own: dict[str, Any] = function.__dict__
    return cast(types.FunctionType, own["__wrapped__"]) if UNIT in own else function
