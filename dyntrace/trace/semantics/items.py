"""Single items of containers from outside.

Invariant: only the container's type and the item are guarded, not the number of items or keys. So a
region serves a list or dict that grows from call to call. Read `trace.semantics.protocol` for all
other subscripts.
"""

from __future__ import annotations

from typing import Any

from dyntrace.graph import kinds
from dyntrace.trace.frame import Frame
from dyntrace.trace.regions.builder import Guard
from dyntrace.trace.sources import Item
from dyntrace.trace.values.base import Constant, Outside, Value

__all__ = ["single_item"]


def single_item(frame: Frame, container: Value, index: Value) -> Value | None:
    """The item at a constant index or key; None if the container's kind does not have it."""
    if not isinstance(container, Outside) or not isinstance(index, Constant):
        return None
    kind, key = container.expected, index.value
    found = _item_of(kind, key)
    if found is None:
        return None
    holder = dict if isinstance(kind, kinds.DictKind) else getattr(kind, "holder", None)
    frame.region.guard(container.source, Guard("exact", holder))
    source = Item(container.source, key)
    frame.region.read(source)  # even if the item is not used: it may be missing
    return Outside(source, found)


def _item_of(kind: kinds.Kind, key: Any) -> kinds.Kind | None:
    if isinstance(kind, kinds.DictKind) and type(key) in (str, int):
        return next((item for other, item in kind.items if other == key), None)
    if isinstance(kind, kinds.SequenceKind) and kind.type in (tuple, list) and type(key) is int:
        return kind.items[key] if -len(kind.items) <= key < len(kind.items) else None
    return None
