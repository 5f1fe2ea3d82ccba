"""The expected kind of a loop's items, from the kind of what it iterates over.

CPython runs the loop itself. Where the items' kind can be foreseen, no recorder has to learn it.
Invariant: a kind that is foreseen wrongly only makes a guard fail. Read `trace.opcodes.control`,
the user, next.
"""

from __future__ import annotations

from dyntrace.graph import kinds
from dyntrace.graph.kinds import ArrayKind, Kind, NumpyScalarKind, SequenceKind
from dyntrace.record import record

__all__ = ["IteratorKind", "item_kind"]


@record(frozen=True)
class IteratorKind(Kind):
    """An iterator or iterable whose items are of kind `item`."""

    item: Kind


def item_kind(kind: Kind) -> Kind:
    """The kind of the items of an iterable of kind `kind`; UNKNOWN if it cannot be foreseen."""
    match kind:
        case IteratorKind(item=item) if all(type(leaf) is not Kind for leaf in kinds.leaves(item)):
            return item
        case ArrayKind(dtype=dtype, ndim=ndim):
            return kind.with_(ndim=ndim - 1) if ndim > 1 else NumpyScalarKind(dtype)
        case SequenceKind(items=items) if items and all(item == items[0] for item in items):
            return items[0]
    return kinds.UNKNOWN
