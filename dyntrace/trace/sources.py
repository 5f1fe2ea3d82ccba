"""Sources: where a region finds a value that exists before it starts.

A source names a pure read that cannot run user code: a fast local, a stack item, a dict entry, an
instance's own attribute, a cell. Equal sources are one read. The direct sources (`Local`,
`StackItem`, `CellVariable`) are passed to the region by its stub; all others are read by the region
itself, in the steps that `trace.regions.builder` collects. Read `trace.regions.builder` next.
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
    """A pure read; see the module's text."""


@record(frozen=True)
class Derived(Source):
    """A read from what another source finds."""

    base: Source


@record(frozen=True)
class Local(Source):
    """A fast local, by its index among the frame's slots."""

    index: int


@record(frozen=True)
class StackItem(Source):
    """An item already on the stack where the region starts, counted from the bottom."""

    position: int


@record(frozen=True)
class CellVariable(Source):
    """The cell object of a cell or free variable, by its index among the frame's slots."""

    index: int


@record(frozen=True)
class Contents(Derived):
    """What a cell holds."""


@record(frozen=True)
class GlobalName(Source):
    """A name looked up in the frame's globals or those that `namespace` finds, then in builtins."""

    name: str
    namespace: Source | None = None


@record(frozen=True)
class ImpliedFunction(Source):
    """A function that a guard on something else implies, such as a property's getter."""

    identity: int
    holder: Any = field(compare=False, repr=False)


@record(frozen=True)
class Attribute(Derived):
    """An attribute in an instance's own dict or slots."""

    name: str


@record(frozen=True)
class NoOwnAttribute(Derived):
    """Nothing: the read succeeds only while the instance has no attribute `name` of its own."""

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
    """A function's "code", "defaults", "kwdefaults" or "closure"."""

    part: str


@record(frozen=True)
class TypeOf(Derived):
    """The class of an object."""


@record(frozen=True)
class ClassAttribute(Derived):
    """A name looked up along a class's method resolution order, descriptors left unbound."""

    name: str
