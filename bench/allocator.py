"""The state of the C allocator, which changes eager NumPy's speed by up to ten times.

glibc serves blocks of 128 KiB and more with fresh pages from mmap, and each page faults when it is
first written. Once the program has freed such a block, glibc may stop doing so (mallopt(3)). `pin`
makes glibc keep everything on its heap from the start, so that all timings are of warm pages.
Invariant: every report has the text that `pin` returns.
"""

from __future__ import annotations

import ctypes

M_TRIM_THRESHOLD, M_MMAP_MAX = -1, -4  # of malloc.h; see mallopt(3)
DEFAULT = "default (fresh pages for large arrays, as NumPy users have it)"
PINNED = "pinned (mallopt: no mmap, no trim; freed pages stay with the process)"
NOT_PINNED = "default, because this C library has no mallopt"


def pin() -> str:
    """Stop glibc from returning memory to the kernel; returns a text for the report."""
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is None or not (mallopt(M_MMAP_MAX, 0) and mallopt(M_TRIM_THRESHOLD, -1)):
        return NOT_PINNED
    return PINNED


def state(choice: str) -> str:
    """Apply the command line's `--allocator`; returns a text for the report."""
    return pin() if choice == "pinned" else DEFAULT
