"""Callables: bound methods of arrays, containers and instances, and optimised copies.

Invariant: function and object are kept apart, so that a call can be traced without a bound method;
`trace.regions.flush` makes one if it leaves the region. Read `trace.semantics.calling` next.
"""

from __future__ import annotations

from typing import Any

from dyntrace.record import record
from dyntrace.trace.values.base import Outside, Value

__all__ = ["BoundFunction", "BoundMethod", "CallableWithCopy"]


@record(eq=False)
class BoundMethod(Value):
    """The method `name` of an array, NumPy scalar, Python scalar or built-in container."""

    self: Value
    name: str


@record(eq=False)
class BoundFunction(Value):
    """A user's function from a class, bound to an instance, or for a class method to a class."""

    self: Value
    function: Outside


@record(eq=False)
class CallableWithCopy(Value):
    """A user's function that CPython is about to call, and the optimised copy to call instead."""

    function: Outside
    optimised_copy: Any
    self: Value | None = None
