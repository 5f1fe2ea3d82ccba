"""What a peer is: a name, a version, and a way to take a plain NumPy function."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol


class Refused(Exception):
    """A peer does not take this function; the message is the peer's own if it has one."""


class Peer(Protocol):
    """One tool.

    It gets each function in a fresh copy of the function's module. It may rebind names in that
    module, but must not change the source.
    """

    name: str

    def version(self) -> str | None:
        """The installed version, None if it is not installed."""

    def prepare(self, function: Callable[..., Any]) -> Callable[..., Any]:
        """A callable that takes NumPy arguments and returns when the work is done.

        Raises Refused. If only the arguments show that it cannot work, the first call raises.
        """

    def as_numpy(self, result: Any) -> Any:
        """A result as NumPy arrays, or tuples of them; not timed."""
