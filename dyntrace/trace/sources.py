"""Sources: where a region reads a value that exists before it starts.

The stub passes the values of `Local`, `StackItem` and `CellVariable` to the region as arguments.
The region reads all other sources itself, in the steps that `trace.regions.builder` collects.
Invariants: a read is pure and cannot run user code; equal sources are read once. Read
`trace.regions.builder` next.
"""

from __future__ import annotations

from typing import Any

from dyntrace.record import field, record

__all__ = [
    "Attribute",
    "CellVariable",
    "ClassAttribute",
    "Contents",
    "Derived",
    "FunctionPart",
    "GlobalName",
    "ImpliedFunction",
    "Item",
    "Local",
    "ModuleAttribute",
    "NoOwnAttribute",
    "Source",
    "StackItem",
    "TypeOf",
]


@record(frozen=True)
class Source:
    """A read of a value, without side effects."""


@record(frozen=True)
class Derived(Source):
    """A read from the value of another source, `base`."""

    base: Source


@record(frozen=True)
class Local(Source):
    """A fast local, by its index in localsplus."""

    index: int


@record(frozen=True)
class StackItem(Source):
    """An item that is on the stack when the region starts; position 0 is the bottom."""

    position: int


@record(frozen=True)
class CellVariable(Source):
    """The cell of a cell or free variable, by its index in localsplus."""

    index: int


@record(frozen=True)
class Contents(Derived):
    """The contents of a cell."""


@record(frozen=True)
class GlobalName(Source):
    """A name looked up in a dict of globals and then in its builtins.

    The dict is the value of `namespace`, or the frame's globals if that is None.
    """

    name: str
    namespace: Source | None = None


@record(frozen=True)
class ImpliedFunction(Source):
    """A function that a guard on another value fixes, such as the getter of a class's property."""

    identity: int
    holder: Any = field(compare=False, repr=False)


@record(frozen=True)
class Attribute(Derived):
    """An attribute in an instance's own dict or slots."""

    name: str


@record(frozen=True)
class NoOwnAttribute(Derived):
    """A read that succeeds only while the instance has no attribute `name` of its own."""

    name: str


@record(frozen=True)
class ModuleAttribute(Derived):
    """An entry of a module's dict."""

    name: str


@record(frozen=True)
class Item(Derived):
    """An item of an exact tuple, list or dict."""

    key: Any


@record(frozen=True)
class FunctionPart(Derived):
    """A function's "code", "defaults", "kwdefaults", "closure" or "globals"."""

    part: str


@record(frozen=True)
class TypeOf(Derived):
    """The class of an object."""


@record(frozen=True)
class ClassAttribute(Derived):
    """A name looked up in the dicts of a class's MRO; a descriptor is not bound."""

    name: str
