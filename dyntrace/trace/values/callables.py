"""Callables met through attribute look-up: bound methods of arrays, containers and instances.

Each keeps its parts apart, so that a call can be inlined or recorded without making the bound
method; `trace.regions.flush` makes it when it has to. Read `trace.semantics.protocol` next.
"""

from __future__ import annotations

from typing import Any

from dyntrace.record import record
from dyntrace.trace.values.base import Outside, Value

__all__ = ["BoundFunction", "BoundMethod", "CallableWithCopy"]


@record(eq=False)
class BoundMethod(Value):
    """The method `name` of an array, NumPy scalar, Python scalar or container built in."""

    self: Value
    name: str


@record(eq=False)
class BoundFunction(Value):
    """A user function found on a class, bound to an instance (or, for a class method, a class)."""

    self: Value
    function: Outside


@record(eq=False)
class CallableWithCopy(Value):
    """A user function about to be called natively, to be replaced by its optimised copy."""

    function: Outside
    optimised_copy: Any
    self: Value | None = None
