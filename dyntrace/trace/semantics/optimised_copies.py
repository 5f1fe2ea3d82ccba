"""Copies: what stands for a callee that cannot be inlined, for the call that ends a region.

A function at module level has one copy that lasts; what is made anew in each call gets a new one
by a node. Invariant: guards say that the copy still stands for the function. Who makes copies is
behind the protocol `Copies`. Read `functions.family` next.
"""

from __future__ import annotations

import operator
from collections.abc import Callable
from types import CodeType, FunctionType
from typing import Any, Protocol

from dyntrace.graph import kinds
from dyntrace.graph.identity import GONE, Namespace, lasts
from dyntrace.graph.node import Node, Op, Origin
from dyntrace.trace.regions.builder import Guard, RegionBuilder, same
from dyntrace.trace.sources import FunctionPart
from dyntrace.trace.values.base import Outside

__all__ = ["Copies", "CopyMaker", "copy_for", "has_copy", "has_lasting_copy"]

CopyMaker = Callable[[FunctionType], FunctionType]
Globals = dict[str, Any]


class Copies(Protocol):
    """Who makes optimised copies of callees that cannot be inlined."""

    def copy_of(self, function: FunctionType) -> FunctionType | None:
        """The copy of a function, the same each time; None for what is better left alone."""

    def maker_of(self, code: CodeType, namespace: Globals) -> CopyMaker | None:
        """What makes copies of functions of this code, new in each call; None as for `copy_of`."""


def has_lasting_copy(function: FunctionType) -> bool:
    """Whether a copy can be kept: it holds an imported module's globals, and constants only."""
    if function.__closure__ or function.__kwdefaults__ or not lasts(function.__defaults__):
        return False
    return Namespace(function.__globals__).find() is not None


_COPY = Op("dyntrace.copy", operator.call, "item", exact=True, aliases=True)
_ORIGIN = Origin("<dyntrace>", 0)


def copy_for(copies: Copies, nearest: Globals, region: RegionBuilder, callee: Outside) -> Any:
    """The copy, or a node that makes it; None where the call is better left as it is.

    `nearest` are the globals of the caller.
    """
    kind = callee.expected
    if isinstance(kind, kinds.FunctionKind):
        namespace = kind.namespace.find(nearest)
        if kind.code is GONE or namespace is None:
            return None
        return _new_copy(copies, region, callee, kind.code, namespace)
    function = kind.value if isinstance(kind, kinds.KnownKind) else None
    optimised_copy = copies.copy_of(function) if isinstance(function, FunctionType) else None
    if optimised_copy is None or not isinstance(function, FunctionType):
        return None
    region.demand(callee.source, kind)
    if not has_lasting_copy(function):
        return _new_copy(copies, region, callee, function.__code__, function.__globals__)
    region.guard(FunctionPart(callee.source, "code"), same(function.__code__))
    defaults = Guard("value", function.__defaults__)
    for part, guard in (("defaults", defaults), ("kwdefaults", same(None))):
        region.guard(FunctionPart(callee.source, part), guard)
    region.replace_callee(function.__code__)
    return optimised_copy


def has_copy(copies: Copies, nearest: Globals, kind: kinds.Kind) -> bool:
    """Whether calls of a function of this kind go to a copy."""
    if isinstance(kind, kinds.FunctionKind):
        namespace = kind.namespace.find(nearest)
        if kind.code is GONE or namespace is None:
            return False
        return copies.maker_of(kind.code, namespace) is not None
    function = kind.value if isinstance(kind, kinds.KnownKind) else None
    return isinstance(function, FunctionType) and copies.copy_of(function) is not None


def _new_copy(
    copies: Copies, region: RegionBuilder, callee: Outside, code: CodeType, namespace: Globals
) -> Node | None:
    """A copy made in each call: one that is kept would keep what the function holds."""
    maker = copies.maker_of(code, namespace)
    if maker is None:
        return None
    region.replace_callee(code)
    function = region.input(callee.source, callee.expected)
    region.guard(FunctionPart(callee.source, "code"), same(code))
    return region.add(_COPY, (maker, function), (), kinds.UNKNOWN, _ORIGIN)
