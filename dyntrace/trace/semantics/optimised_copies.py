"""Optimised copies: replacing a callee that is not inlined, in the call that ends a region.

The copy of a function of an imported module is a constant of the graph. For a function that may be
made anew in each call, a node makes the copy. Invariant: the region guards that the copy still
corresponds to the function. `Copies` is the protocol of what makes copies. Read
`functions.family`, which implements it, next.
"""

from __future__ import annotations

import operator
from collections.abc import Callable
from types import CodeType, FunctionType
from typing import Any, Protocol

from dyntrace.graph import kinds
from dyntrace.graph.identity import GONE, Namespace, lasts
from dyntrace.graph.node import Node, Op, Origin
from dyntrace.trace.regions.builder import Guard, RegionBuilder, identity_guard
from dyntrace.trace.sources import FunctionPart
from dyntrace.trace.values.base import Outside

__all__ = ["Copies", "CopyMaker", "copy_for", "has_copy", "has_lasting_copy"]

CopyMaker = Callable[[FunctionType], FunctionType]
Globals = dict[str, Any]


class Copies(Protocol):
    """What makes optimised copies of callees that are not inlined."""

    def copy_of(self, function: FunctionType) -> FunctionType | None:
        """The copy of a function, the same one each time; None if it is better left alone."""

    def maker_of(self, code: CodeType, namespace: Globals) -> CopyMaker | None:
        """A callable that makes a new copy of a function with this code; None as for `copy_of`."""


def has_lasting_copy(function: FunctionType) -> bool:
    """Whether a copy can be a constant, which keeps alive what the function refers to.

    It can if that is the globals of an imported module, and defaults that are never freed.
    """
    if function.__closure__ or function.__kwdefaults__ or not lasts(function.__defaults__):
        return False
    return Namespace(function.__globals__).find() is not None


_COPY = Op("dyntrace.copy", operator.call, "item", exact=True, aliases=True)
_ORIGIN = Origin("<dyntrace>", 0)


def copy_for(copies: Copies, nearest: Globals, region: RegionBuilder, callee: Outside) -> Any:
    """The copy of `callee`, or a node that makes it; None if the call is better left as it is.

    `nearest` are the caller's globals, where a nested callee's are likely to be found.
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
    region.guard_kind(callee.source, kind)
    if not has_lasting_copy(function):
        return _new_copy(copies, region, callee, function.__code__, function.__globals__)
    region.guard(FunctionPart(callee.source, "code"), identity_guard(function.__code__))
    defaults = Guard("value", function.__defaults__)
    for part, guard in (("defaults", defaults), ("kwdefaults", identity_guard(None))):
        region.guard(FunctionPart(callee.source, part), guard)
    region.replace_callee(function.__code__)
    return optimised_copy


def has_copy(copies: Copies, nearest: Globals, kind: kinds.Kind) -> bool:
    """Whether calls of a function of this kind go to its copy."""
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
    """A node that makes a copy in each call: a constant would keep the function's cells alive."""
    maker = copies.maker_of(code, namespace)
    if maker is None:
        return None
    region.replace_callee(code)
    function = region.input(callee.source, callee.expected)
    region.guard(FunctionPart(callee.source, "code"), identity_guard(code))
    return region.add(_COPY, (maker, function), (), kinds.UNKNOWN, _ORIGIN)
