"""Replay: several runs consume one iterator, although its items can be drawn only once.

Each run gets a substitute. A `Tape` draws an item from the original when a run first asks for it,
keeps it, and gives later runs the same item. Built-in iterators over sequences need no tape, since
`copy.copy` copies their position. `reachable` puts the substitutes where the originals were.
"""

from __future__ import annotations

import copy
import inspect
import itertools
import types
from collections.abc import Callable, Generator, Iterator
from typing import Any

__all__ = ["Tape", "is_copied", "is_taped", "stand_in"]

_EMPTY: tuple[Any, ...] = ([], (), "", b"", bytearray(), range(0), range(1 << 70))
_VIEWS: tuple[Any, ...] = ({}.keys(), {}.values(), {}.items())
_COPIED = (*(type(iter(value)) for value in _EMPTY), type(reversed([])))
_DRAWN = (
    types.GeneratorType,
    enumerate,
    filter,
    map,
    reversed,
    zip,
    type(iter(set())),
    type(iter(int, 0)),
    *(type(iter(view)) for view in _VIEWS),
    *(type(reversed(view)) for view in _VIEWS),
    *(kind for kind in vars(itertools).values() if isinstance(kind, type)),
)


def is_copied(value: Any) -> bool:
    """Whether `copy.copy` gives an iterator of the same type at the same position."""
    return type(value) in _COPIED


def is_taped(value: Any) -> bool:
    """Whether the items of this iterator can only be had by drawing them."""
    return type(value) in _DRAWN


class Tape:
    """The items drawn so far from `source`, its return value or its exception.

    `drawn` is called with each new item before any run sees it.
    """

    def __init__(self, source: Iterator[Any], drawn: Callable[[Any], None]) -> None:
        self._source = source
        self._drawn = drawn
        self._suspended = (
            isinstance(source, types.GeneratorType)
            and inspect.getgeneratorstate(source) == inspect.GEN_SUSPENDED
        )
        self._items: list[Any] = []
        self._end: BaseException | None = None
        self._traceback: types.TracebackType | None = None

    def replay(self) -> Generator[Any, Any, Any]:
        """A generator over all items, those on the tape and those still to be drawn.

        If the source was suspended at a `yield` when the tape was made, so is the generator: its
        first `send` may take a value.
        """
        source = self._replayed()
        if self._suspended:
            next(source)
        return source

    def _replayed(self) -> Generator[Any, Any, Any]:
        sent: Any = (yield) if self._suspended else None
        for position in itertools.count():
            if position == len(self._items) and not self._draw(sent):
                break
            sent = yield self._items[position]
        if isinstance(self._end, StopIteration):
            return self._end.value
        assert self._end is not None
        raise self._end.with_traceback(self._traceback)

    def _draw(self, sent: Any) -> bool:
        """Draw the next item onto the tape; False if the source is exhausted or raised."""
        if self._end is not None:
            return False
        try:
            send = getattr(self._source, "send", None)
            item = next(self._source) if sent is None or send is None else send(sent)
        except BaseException as end:  # raised again in each run, at the same item
            self._end, self._traceback = end, end.__traceback__
            return False
        self._drawn(item)
        self._items.append(item)
        return True


def stand_in(value: Any, tape: Callable[[Any], Tape]) -> Any:
    """An iterator over the items that iterator `value` would yield."""
    return copy.copy(value) if is_copied(value) else tape(value).replay()
