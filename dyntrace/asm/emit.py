"""What a stub is written in: version-free emission operations, lowered per Python by `assemble`.

A stub is a sequence of these. Invariant: a stub is entered and left with the stack of its unit,
and jumps only to labels of its own or to units. `LoadFast` must name a local that
`liveness.bound_before` proves bound. Read `assemble` next.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, TypeAlias

from dyntrace.asm.instructions import Location

__all__ = [
    "At",
    "BuildTuple",
    "Call",
    "Copy",
    "Emit",
    "Jump",
    "Label",
    "LoadCell",
    "LoadConst",
    "LoadFast",
    "Mark",
    "Original",
    "PopJumpIfNone",
    "PopTop",
    "PushCallable",
    "PushNull",
    "StoreDeref",
    "StoreFast",
    "Subscript",
    "Swap",
    "UnpackSequence",
]


class Label:
    """A place inside one stub, put there by `Mark`; compared by identity."""

    __slots__ = ()


@dataclass(frozen=True, slots=True)
class Original:
    """The jump target behind the stub of a unit: its original instruction."""

    unit: int


@dataclass(frozen=True, slots=True)
class PushCallable:
    """Push the callable as a constant, with the NULL of a plain call in this version's order."""

    obj: Any
    null: bool = True


@dataclass(frozen=True, slots=True)
class LoadConst:
    """Push a constant (appended to co_consts; compared by identity)."""

    obj: Any


@dataclass(frozen=True, slots=True)
class LoadFast:
    """Push local `index`, which must be bound."""

    index: int


@dataclass(frozen=True, slots=True)
class LoadCell:
    """Push the cell object itself at localsplus `index`."""

    index: int


@dataclass(frozen=True, slots=True)
class StoreFast:
    """Pop into local `index`."""

    index: int


@dataclass(frozen=True, slots=True)
class StoreDeref:
    """Pop into the contents of the cell at localsplus `index`."""

    index: int


@dataclass(frozen=True, slots=True)
class Copy:
    """Push the value at `depth`, 1 being the top; never a NULL."""

    depth: int


@dataclass(frozen=True, slots=True)
class Swap:
    """Exchange the top with the value at `depth` (2 or more)."""

    depth: int


@dataclass(frozen=True, slots=True)
class PopTop:
    """Drop the top, never a NULL."""


@dataclass(frozen=True, slots=True)
class PushNull:
    """Push a NULL."""


@dataclass(frozen=True, slots=True)
class Call:
    """Call what `PushCallable` pushed with `count` positional arguments."""

    count: int


@dataclass(frozen=True, slots=True)
class UnpackSequence:
    """Pop a sequence of exactly `count` items, push them, the first on top."""

    count: int


@dataclass(frozen=True, slots=True)
class BuildTuple:
    """Pop `count` values, push the tuple of them."""

    count: int


@dataclass(frozen=True, slots=True)
class Subscript:
    """Pop index and container, push the item."""


@dataclass(frozen=True, slots=True)
class PopJumpIfNone:
    """Pop; go to the label, later in this stub, if the value was None."""

    target: Label


@dataclass(frozen=True, slots=True)
class Jump:
    """Go to a later label of this stub, to a unit's stub (an index), or to its `Original`."""

    target: Label | Original | int


@dataclass(frozen=True, slots=True)
class Mark:
    """Put the label here."""

    label: Label


@dataclass(frozen=True, slots=True)
class At:
    """Give the following operations this location instead of the unit's."""

    location: Location


Emit: TypeAlias = (
    PushCallable
    | LoadConst
    | LoadFast
    | LoadCell
    | StoreFast
    | StoreDeref
    | Copy
    | Swap
    | PopTop
    | PushNull
    | Call
    | UnpackSequence
    | BuildTuple
    | Subscript
    | PopJumpIfNone
    | Jump
    | Mark
    | At
)
