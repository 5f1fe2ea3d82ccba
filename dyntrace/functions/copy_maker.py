"""Copy makers: optimised copies of functions that are made anew in each call.

Such are lambdas, closures and generator expressions. A region calls the maker with the function
just before the program calls the function. Invariant: the copy behaves as the function does; the
maker returns the function itself where compiled code is gone or has nothing to gain, and where
another function has come. A maker takes one Python frame, so recursion goes as deep as before. Read
`functions.family` next.
"""

from __future__ import annotations

import weakref
from types import FunctionType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from dyntrace.functions.compiled_code import CompiledCode

__all__ = ["CopyMaker"]


class CopyMaker:
    """Makes copies of the functions that have the code and globals of `compiled`, held weakly."""

    __slots__ = ("_compiled_of",)

    def __init__(self, compiled: CompiledCode) -> None:
        self._compiled_of = weakref.ref(compiled)

    def __call__(self, function: FunctionType) -> FunctionType:
        compiled, namespace = self._compiled_of(), function.__globals__
        if compiled is None or compiled.calls_stay or compiled.globals.address != id(namespace):
            return function
        code = compiled.versions.newest.code
        optimised_copy = FunctionType(
            code, namespace, function.__name__, function.__defaults__, function.__closure__
        )
        optimised_copy.__kwdefaults__ = function.__kwdefaults__
        optimised_copy.__qualname__ = function.__qualname__
        return optimised_copy
