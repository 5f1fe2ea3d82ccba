"""What a stub is written in: version-free emission operations, lowered per Python by `assemble`.

A stub is a sequence of these. Invariant: a stub is entered and left with the stack of its unit,
and jumps only to labels of its own or to units. `LoadFast` must name a local that
`liveness.bound_before` proves bound. Read `assemble` next.
"""

from __future__ import annotations

from typing import Any, TypeAlias

from dyntrace.asm.instructions import Location
from dyntrace.record import record

__all__ = [
    "At",
    "BuildTuple",
    "Call",
    "Copy",
    "Emit",
    "Here",
    "Jump",
    "Label",
    "LoadCell",
    "LoadConst",
    "LoadFast",
    "Original",
    "PopJumpIfNone",
    "PopJumpIfTrue",
    "PopTop",
    "PushCallable",
    "PushNull",
    "StoreDeref",
    "StoreFast",
    "Subscript",
    "Swap",
    "ToBool",
    "UnpackSequence",
]


class Label:
    """A place inside one stub, put there by `Here`; compared by identity."""

    __slots__ = ()


@record(frozen=True)
class Original:
    """The jump target behind the stub of a unit: its original instruction."""

    unit: int


@record(frozen=True)
class PushCallable:
    """Push the callable as a constant, with the NULL of a plain call in this version's order."""

    obj: Any
    null: bool = True


@record(frozen=True)
class LoadConst:
    """Push a constant (appended to co_consts; compared by identity)."""

    obj: Any


@record(frozen=True)
class LoadFast:
    """Push local `index`, which must be bound."""

    index: int


@record(frozen=True)
class LoadCell:
    """Push the cell object itself at localsplus `index`."""

    index: int


@record(frozen=True)
class StoreFast:
    """Pop into local `index`."""

    index: int


@record(frozen=True)
class StoreDeref:
    """Pop into the contents of the cell at localsplus `index`."""

    index: int


@record(frozen=True)
class Copy:
    """Push the value at `depth`, 1 being the top; never a NULL."""

    depth: int


@record(frozen=True)
class Swap:
    """Exchange the top with the value at `depth` (2 or more)."""

    depth: int


@record(frozen=True)
class PopTop:
    """Drop the top, never a NULL."""


@record(frozen=True)
class PushNull:
    """Push a NULL."""


@record(frozen=True)
class Call:
    """Call what `PushCallable` pushed with `count` positional arguments."""

    count: int


@record(frozen=True)
class UnpackSequence:
    """Pop a sequence of exactly `count` items, push them, the first on top."""

    count: int


@record(frozen=True)
class BuildTuple:
    """Pop `count` values, push the tuple of them."""

    count: int


@record(frozen=True)
class Subscript:
    """Pop index and container, push the item."""


@record(frozen=True)
class PopJumpIfNone:
    """Pop; go to the label, later in this stub, if the value was None."""

    target: Label


@record(frozen=True)
class ToBool:
    """Replace the top by its truth, where `PopJumpIfTrue` takes bools only."""


@record(frozen=True)
class PopJumpIfTrue:
    """Pop what `ToBool` has left; go to the label, later in this stub, if it is true."""

    target: Label


@record(frozen=True)
class Jump:
    """Go to a later label of this stub, to a unit's stub (an index), or to its `Original`."""

    target: Label | Original | int


@record(frozen=True)
class Here:
    """Put the label here."""

    label: Label


@record(frozen=True)
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
    | ToBool
    | PopJumpIfTrue
    | Jump
    | Here
    | At
)
