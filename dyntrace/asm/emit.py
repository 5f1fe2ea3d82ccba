"""The operations that a stub consists of, the same on every Python.

A stub is a sequence of them; `weaving.stubs` writes stubs, `lower` turns them into instructions.
Invariants: a stub is entered and left with the stack depth of its unit. It jumps only to its own
labels and to units. It loads a local only if `bindings.bound_before` proves the local bound. Read
`lower` next.
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
    """A jump target inside one stub: the position of its `Here`. Labels compare by identity."""

    __slots__ = ()


@record(frozen=True)
class Original:
    """A jump target: the original instruction of a unit, behind its stub."""

    unit: int


@record(frozen=True)
class PushCallable:
    """Push a callable, and the NULL that CALL expects of a plain function, in this Python's order.

    With `null` False, the callable alone is pushed.
    """

    obj: Any
    null: bool = True


@record(frozen=True)
class LoadConst:
    """Push `obj`, which becomes an item of co_consts."""

    obj: Any


@record(frozen=True)
class LoadFast:
    """Push local `index`, which must be bound."""

    index: int


@record(frozen=True)
class LoadCell:
    """Push the cell at localsplus `index`, not its contents."""

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
    """Push the value at `depth`, 1 being the top.

    The value must not be NULL: COPY increments its reference count.
    """

    depth: int


@record(frozen=True)
class Swap:
    """Exchange the top with the value at `depth`, which is at least 2."""

    depth: int


@record(frozen=True)
class PopTop:
    """Drop the top, which must not be NULL."""


@record(frozen=True)
class PushNull:
    """Push a NULL."""


@record(frozen=True)
class Call:
    """Pop `count` positional arguments and what `PushCallable` pushed, call, push the result."""

    count: int


@record(frozen=True)
class UnpackSequence:
    """Pop a sequence of exactly `count` items and push them; the first ends up on top."""

    count: int


@record(frozen=True)
class BuildTuple:
    """Pop `count` values and push a tuple of them."""

    count: int


@record(frozen=True)
class Subscript:
    """Pop an index and a container, push the item."""


@record(frozen=True)
class PopJumpIfNone:
    """Pop a value and jump to a later label of this stub if it is None."""

    target: Label


@record(frozen=True)
class ToBool:
    """Replace the top by its truth value.

    It emits nothing before 3.13: there POP_JUMP_IF_TRUE tests the truth of any object.
    """


@record(frozen=True)
class PopJumpIfTrue:
    """Pop what `ToBool` left and jump to a later label of this stub if it is true."""

    target: Label


@record(frozen=True)
class Jump:
    """Jump to a later label of this stub, to a unit's stub (by index), or to its `Original`."""

    target: Label | Original | int


@record(frozen=True)
class Here:
    """Define the label as this position."""

    label: Label


@record(frozen=True)
class At:
    """Give the operations that follow this location instead of the unit's."""

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
