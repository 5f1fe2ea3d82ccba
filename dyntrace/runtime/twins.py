"""Twins of functions that are made anew in each call: lambdas, closures, generator expressions.

A region calls the maker with the function just before the program does. Invariant: what comes out
behaves as the function does; it is the function itself where the unit of its code has nothing to
gain, or is gone, or another function has come. A maker takes one Python frame, so that a program
comes no less far in its recursion. Read `compile` next.
"""

from __future__ import annotations

import weakref
from types import FunctionType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from dyntrace.runtime.unit import Unit

__all__ = ["TwinMaker"]


class TwinMaker:
    """Makes twins of the functions that have the code and globals of `unit`, held weakly."""

    __slots__ = ("_unit_of",)

    def __init__(self, unit: Unit) -> None:
        self._unit_of = weakref.ref(unit)

    def __call__(self, function: FunctionType) -> FunctionType:
        unit, namespace = self._unit_of(), function.__globals__
        if unit is None or unit.calls_stay or unit.globals.address != id(namespace):
            return function
        code = unit.woven.code
        twin = FunctionType(
            code, namespace, function.__name__, function.__defaults__, function.__closure__
        )
        twin.__kwdefaults__ = function.__kwdefaults__
        twin.__qualname__ = function.__qualname__
        return twin
