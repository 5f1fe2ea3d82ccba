"""The threads and the cached memory of the machine; stand-ins without the native module.

Invariant: callers need not ask whether the native module is in use. Without it there is no machine,
so the stand-ins set and release nothing.
Read `exec.jobs.threads` next, and `_native/os/pool.c` and `_native/os/arena.c`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from dyntrace import config

__all__ = ["arena_held", "arena_trim", "get_threads", "set_threads"]

if TYPE_CHECKING or not config.native:

    def set_threads(number: int, /) -> None:
        """Let the machine use `number` threads, the caller's included."""

    def get_threads() -> int:
        """How many threads the machine may use, the caller's included."""
        return 1

    def arena_held() -> int:
        """Bytes that the arena holds for temporaries of later calls."""
        return 0

    def arena_trim(limit: int, /) -> None:
        """Release memory until the arena holds at most `limit` bytes."""

else:
    from dyntrace._native import arena_held, arena_trim, get_threads, set_threads
