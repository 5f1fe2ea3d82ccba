"""The containers that a region builds: new ones, and changes to its lists and dicts.

Each change is made in place and registers its undo with the region builder, for the case that its
instruction cannot be absorbed. Invariants: no container contains itself, at whatever depth; what is
put into a container at once has at most `MAX_BUILT` values, written out as a tree. Read
`trace.semantics.protocol`, a user, next.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from functools import partial
from typing import Any

from dyntrace.breaks import REGION_FULL
from dyntrace.graph import kinds
from dyntrace.trace.frame import Break, Frame, refusal_of
from dyntrace.trace.values.base import Computed, Outside, Value
from dyntrace.trace.values.containers import DictValue, ListValue, TupleValue

__all__ = ["extend_list", "new_list", "new_tuple", "replace_items", "set_pair", "stored"]

MAX_BUILT = 8192  # values in a container, with those in its items
_CONTAINERS = (TupleValue, ListValue, DictValue, Outside)


def new_tuple(items: Iterable[Value]) -> TupleValue:
    """A tuple that the region builds."""
    made = tuple(items)
    _refuse_large(made)
    return TupleValue(made)


def new_list(items: Iterable[Value]) -> ListValue:
    """A list that the region builds."""
    made = [*items]
    _refuse_large(made)
    return ListValue(made)


def _refuse_large(items: Collection[Value]) -> None:
    """Break if `items`, and what containers among them contain, are more than `MAX_BUILT`.

    Kinds, graphs and programs write containers out as trees, and an object that is in one twice
    counts twice. Without a limit, each line `t = (t, t)` would double the time of an analysis.
    """
    waiting: list[Any] = [item for item in items if isinstance(item, _CONTAINERS)]
    count = len(items)
    while waiting and count <= MAX_BUILT:
        parts = _parts(waiting.pop())
        count += len(parts)
        waiting += parts
    if count > MAX_BUILT:
        raise Break(REGION_FULL)


def _parts(container: Any) -> Collection[Any]:
    """The values in a container that the region builds, the kinds in one from outside."""
    if isinstance(container, Outside):
        container = container.expected
    if isinstance(container, DictValue):
        return container.items.values()
    if isinstance(container, kinds.DictKind):
        return [kind for _, kind in container.items]
    is_sequence = isinstance(container, (TupleValue, ListValue, kinds.SequenceKind))
    return container.items if is_sequence else ()


def replace_items(frame: Frame, container: ListValue, items: list[Value]) -> None:
    """Replace the items of a list; a rollback restores the old ones."""
    _refuse_large(items)
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
    _refuse_large(added)
    _refuse_cycle(added, container)
    items += added
    frame.region.on_rollback(partial(items.__delitem__, slice(count, None)))


def set_pair(frame: Frame, container: Any, key: Any, value: Value) -> None:
    """Set an item of a dict; a rollback restores what was there."""
    if type(key) not in (str, int):
        raise refusal_of(container.kind)
    if len(container.items) >= MAX_BUILT:
        raise Break(REGION_FULL)
    _refuse_large([value])
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
