"""What a peer is: a name, a version, and a way to take a plain NumPy function."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol


class Refused(Exception):
    """A peer does not take this function; the message says why, in its own words if it has any."""


class Peer(Protocol):
    """One tool.

    The function it is given comes out of a fresh copy of its module, which is the peer's own: it
    may rebind names there, as long as the source stays as it is.
    """

    name: str

    def version(self) -> str | None:
        """The installed version, None if it is not installed."""

    def prepare(self, function: Callable[..., Any]) -> Callable[..., Any]:
        """A callable that takes NumPy arguments and returns when the work is done.

        Raises Refused. What it cannot tell before it has seen arguments, the first call raises.
        """

    def as_numpy(self, result: Any) -> Any:
        """A result as NumPy arrays, or tuples of them; not timed."""
