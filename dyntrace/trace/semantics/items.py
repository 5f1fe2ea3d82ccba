"""Items read one by one from containers that exist before the region.

Invariant: only the type of the container and the item itself are guarded, so that a list or dict
that grows from call to call is read by the same region. Read `trace.semantics.protocol` for all
else that is done with subscripts.
"""

from __future__ import annotations

from typing import Any

from dyntrace.graph import kinds
from dyntrace.trace.frame import Frame
from dyntrace.trace.regions.builder import Guard
from dyntrace.trace.sources import Item
from dyntrace.trace.values.base import Constant, Outside, Value

__all__ = ["item_alone"]


def item_alone(frame: Frame, container: Value, index: Value) -> Value | None:
    """The item at a constant index or key, if the kind of the container has it; else None."""
    if not isinstance(container, Outside) or not isinstance(index, Constant):
        return None
    kind, key = container.expected, index.value
    found = _item_of(kind, key)
    if found is None:
        return None
    holder = dict if isinstance(kind, kinds.DictKind) else getattr(kind, "holder", None)
    frame.region.guard(container.source, Guard("exact", holder))
    source = Item(container.source, key)
    frame.region.read(source)  # though nobody uses it: it may be gone
    return Outside(source, found)


def _item_of(kind: kinds.Kind, key: Any) -> kinds.Kind | None:
    if isinstance(kind, kinds.DictKind) and type(key) in (str, int):
        return next((item for other, item in kind.items if other == key), None)
    if isinstance(kind, kinds.SequenceKind) and kind.type in (tuple, list) and type(key) is int:
        return kind.items[key] if -len(kind.items) <= key < len(kind.items) else None
    return None
