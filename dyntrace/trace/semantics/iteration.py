"""What a loop's items are believed to be, from what it iterates over.

Loops run as they are; this only spares recording the kinds of items that are plain already.
"""

from __future__ import annotations

from dyntrace.graph import kinds
from dyntrace.graph.kinds import ArrayKind, Kind, NumpyScalarKind, SequenceKind
from dyntrace.record import record

__all__ = ["IteratorKind", "item_kind"]


@record(frozen=True)
class IteratorKind(Kind):
    """An iterator, or something to iterate, whose items are of kind `item`."""

    item: Kind


def item_kind(kind: Kind) -> Kind:
    """The kind of the items of something of kind `kind`; unknown if any part of it is."""
    match kind:
        case IteratorKind(item=item) if all(type(leaf) is not Kind for leaf in kinds.leaves(item)):
            return item
        case ArrayKind(dtype=dtype, ndim=ndim):
            return kind.with_(ndim=ndim - 1) if ndim > 1 else NumpyScalarKind(dtype)
        case SequenceKind(items=items) if items and all(item == items[0] for item in items):
            return items[0]
    return kinds.UNKNOWN
