"""Threads and kept memory of the machine in C, and what stands in where there is no C.

Invariant: `set_num_threads` is the one setting and `reset` the one release, whether or not the
native module is in use; without it there is no machine, so there is nothing to set or release.
Read `exec.jobs.threads` next, and `_native/os/pool.c` and `_native/os/arena.c`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from dyntrace import config

__all__ = ["arena_held", "arena_trim", "get_threads", "set_threads"]

if TYPE_CHECKING or not config.native:

    def set_threads(number: int, /) -> None:
        """Let a region use `number` threads, the caller's included."""

    def get_threads() -> int:
        """How many threads a region may use: the caller's."""
        return 1

    def arena_held() -> int:
        """Bytes kept for the temporaries of later calls."""
        return 0

    def arena_trim(limit: int, /) -> None:
        """Release kept memory until at most `limit` bytes are held."""

else:
    from dyntrace._native import arena_held, arena_trim, get_threads, set_threads
