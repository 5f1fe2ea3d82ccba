"""Changes of the lists and dicts that a region builds.

They are made in place, each with what takes it back when its instruction is not absorbed after all.
Invariant: no container holds itself, however deep. Read `trace.semantics.protocol`, the user, next.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import partial
from typing import Any

from dyntrace.breaks import REGION_FULL
from dyntrace.trace.frame import Break, Frame, refusal_of
from dyntrace.trace.values.base import Computed, Value
from dyntrace.trace.values.containers import DictValue, ListValue, TupleValue

__all__ = ["change_list", "extend_list", "set_pair", "stored"]

MAX_BUILT = 8192  # items of a list or dict that grows


def change_list(frame: Frame, container: ListValue, items: list[Value]) -> None:
    """Give a list of this region new items, so that a rollback gives back the old ones."""
    if len(items) > MAX_BUILT:
        raise Break(REGION_FULL)
    _require_outside(items, container)
    old = container.items
    container.items = items
    frame.region.on_rollback(lambda: setattr(container, "items", old))


def extend_list(frame: Frame, container: ListValue, added: list[Value]) -> None:
    """Append to a list of this region, so that a rollback takes the items away again."""
    items = container.items
    count = len(items)
    if count + len(added) > MAX_BUILT:
        raise Break(REGION_FULL)
    _require_outside(added, container)
    items += added
    frame.region.on_rollback(partial(items.__delitem__, slice(count, None)))


def set_pair(frame: Frame, container: Any, key: Any, value: Value) -> None:
    """Add or replace an item of a dict of this region."""
    if type(key) not in (str, int):
        raise refusal_of(container.kind)
    if len(container.items) >= MAX_BUILT:
        raise Break(REGION_FULL)
    _require_outside([value], container)
    items = container.items
    old = items.get(key)
    items[key] = stored(value)
    undo = partial(items.pop, key) if old is None else partial(items.__setitem__, key, old)
    frame.region.on_rollback(undo)


def _require_outside(items: Iterable[Value], container: Value) -> None:
    """No container of a region holds itself, however deep: such a one is CPython's to build."""
    for item in items:
        if item is container:
            raise refusal_of(container.kind)
        if isinstance(item, (ListValue, TupleValue)):
            _require_outside(item.items, container)
        elif isinstance(item, DictValue):
            _require_outside(item.items.values(), container)


def stored(value: Value) -> Value:
    """`value`, no longer a temporary: something other than the stack holds it now."""
    if isinstance(value, Computed):
        value.temporary = False
    return value
