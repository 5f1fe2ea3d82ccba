"""Changes to the lists and dicts that a region builds.

Each change is made in place and registers its undo with the region builder, for the case that its
instruction cannot be absorbed. Invariant: no container contains itself, at whatever depth. Read
`trace.semantics.protocol`, a user, next.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import partial
from typing import Any

from dyntrace.breaks import REGION_FULL
from dyntrace.trace.frame import Break, Frame, refusal_of
from dyntrace.trace.values.base import Computed, Value
from dyntrace.trace.values.containers import DictValue, ListValue, TupleValue

__all__ = ["extend_list", "replace_items", "set_pair", "stored"]

MAX_BUILT = 8192  # items of a list or dict


def replace_items(frame: Frame, container: ListValue, items: list[Value]) -> None:
    """Replace the items of a list; a rollback restores the old ones."""
    if len(items) > MAX_BUILT:
        raise Break(REGION_FULL)
    _refuse_cycle(items, container)
    old = container.items
    container.items = items
    frame.region.on_rollback(lambda: setattr(container, "items", old))


def extend_list(frame: Frame, container: ListValue, added: list[Value]) -> None:
    """Append items to a list; a rollback removes them."""
    items = container.items
    count = len(items)
    if count + len(added) > MAX_BUILT:
        raise Break(REGION_FULL)
    _refuse_cycle(added, container)
    items += added
    frame.region.on_rollback(partial(items.__delitem__, slice(count, None)))


def set_pair(frame: Frame, container: Any, key: Any, value: Value) -> None:
    """Set an item of a dict; a rollback restores what was there."""
    if type(key) not in (str, int):
        raise refusal_of(container.kind)
    if len(container.items) >= MAX_BUILT:
        raise Break(REGION_FULL)
    _refuse_cycle([value], container)
    items = container.items
    old = items.get(key)
    items[key] = stored(value)
    undo = partial(items.pop, key) if old is None else partial(items.__setitem__, key, old)
    frame.region.on_rollback(undo)


def _refuse_cycle(items: Iterable[Value], container: Value) -> None:
    """Break if `items` contain `container` at any depth: CPython has to build such a cycle."""
    for item in items:
        if item is container:
            raise refusal_of(container.kind)
        if isinstance(item, (ListValue, TupleValue)):
            _refuse_cycle(item.items, container)
        elif isinstance(item, DictValue):
            _refuse_cycle(item.items.values(), container)


def stored(value: Value) -> Value:
    """`value`, marked as stored: more than the stack refers to it, so it is no temporary."""
    if isinstance(value, Computed):
        value.temporary = False
    return value
