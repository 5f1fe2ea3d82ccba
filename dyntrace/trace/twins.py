"""Twins: what stands for a callee that cannot be inlined, for the call that ends a region.

A function at module level has one twin that lasts; what is made anew in each call gets a new twin
by a node. Invariant: guards say that the twin still stands for the function. Who makes twins is
behind the protocol `Twins`. Read `compile` next.
"""

from __future__ import annotations

import operator
from collections.abc import Callable
from types import CodeType, FunctionType
from typing import Any, Protocol

from dyntrace.graph import kinds
from dyntrace.graph.identity import GONE, Namespace, lasts
from dyntrace.graph.node import Node, Op, Origin
from dyntrace.trace.region import Guard, RegionBuilder, same
from dyntrace.trace.sources import FunctionPart
from dyntrace.trace.values.base import Outside

__all__ = ["TwinMaker", "Twins", "has_lasting_twin", "has_twin", "twin_for"]

TwinMaker = Callable[[FunctionType], FunctionType]
Globals = dict[str, Any]


class Twins(Protocol):
    """Who makes optimised twins of callees that cannot be inlined."""

    def twin_of(self, function: FunctionType) -> FunctionType | None:
        """The twin of a function, the same each time; None for what is better left alone."""

    def maker_of(self, code: CodeType, namespace: Globals) -> TwinMaker | None:
        """What makes twins of functions of this code, new in each call; None as for `twin_of`."""


def has_lasting_twin(function: FunctionType) -> bool:
    """Whether a twin can be kept: it holds an imported module's globals, and constants only."""
    if function.__closure__ or function.__kwdefaults__ or not lasts(function.__defaults__):
        return False
    return Namespace(function.__globals__).find() is not None


_TWIN = Op("dyntrace.twin", operator.call, "item", exact=True, aliases=True)
_ORIGIN = Origin("<dyntrace>", 0)


def twin_for(twins: Twins, nearest: Globals, region: RegionBuilder, callee: Outside) -> Any:
    """The twin, or a node that makes it; None where the call is better left as it is.

    `nearest` are the globals of the caller.
    """
    kind = callee.believed
    if isinstance(kind, kinds.FunctionKind):
        namespace = kind.namespace.find(nearest)
        if kind.code is GONE or namespace is None:
            return None
        return _new_twin(twins, region, callee, kind.code, namespace)
    function = kind.value if isinstance(kind, kinds.KnownKind) else None
    twin = twins.twin_of(function) if isinstance(function, FunctionType) else None
    if twin is None or not isinstance(function, FunctionType):
        return None
    region.demand(callee.source, kind)
    if not has_lasting_twin(function):
        return _new_twin(twins, region, callee, function.__code__, function.__globals__)
    region.guard(FunctionPart(callee.source, "code"), same(function.__code__))
    defaults = Guard("value", function.__defaults__)
    for part, guard in (("defaults", defaults), ("kwdefaults", same(None))):
        region.guard(FunctionPart(callee.source, part), guard)
    region.replace_callee(function.__code__)
    return twin


def has_twin(twins: Twins, nearest: Globals, kind: kinds.Kind) -> bool:
    """Whether calls of a function of this kind go to a twin."""
    if isinstance(kind, kinds.FunctionKind):
        namespace = kind.namespace.find(nearest)
        if kind.code is GONE or namespace is None:
            return False
        return twins.maker_of(kind.code, namespace) is not None
    function = kind.value if isinstance(kind, kinds.KnownKind) else None
    return isinstance(function, FunctionType) and twins.twin_of(function) is not None


def _new_twin(
    twins: Twins, region: RegionBuilder, callee: Outside, code: CodeType, namespace: Globals
) -> Node | None:
    """A twin made in each call: one that is kept would keep what the function holds."""
    maker = twins.maker_of(code, namespace)
    if maker is None:
        return None
    region.replace_callee(code)
    function = region.input(callee.source, callee.believed)
    region.guard(FunctionPart(callee.source, "code"), same(code))
    return region.add(_TWIN, (maker, function), (), kinds.UNKNOWN, _ORIGIN)
