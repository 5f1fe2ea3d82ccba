"""The state of the C allocator, which moves eager NumPy by up to ten times.

glibc hands out blocks of 128 KiB and more as fresh pages of the kernel, and each page then faults
when it is first written; later, depending on what was freed, it may stop doing so. `pin` makes it
keep everything on its heap from the start, so that all timings are of warm pages. Invariant: what
was done is told by the text `pin` returns, and stands in every report.
"""

from __future__ import annotations

import ctypes

M_TRIM_THRESHOLD, M_MMAP_MAX = -1, -4  # of malloc.h; see mallopt(3)
DEFAULT = "default (fresh pages for large arrays, as NumPy users have it)"
PINNED = "pinned (mallopt: no mmap, no trim; freed pages stay with the process)"
NOT_PINNED = "default, because this C library has no mallopt"


def pin() -> str:
    """Stop the allocator from giving memory back; returns what the report says of it."""
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is None or not (mallopt(M_MMAP_MAX, 0) and mallopt(M_TRIM_THRESHOLD, -1)):
        return NOT_PINNED
    return PINNED


def state(choice: str) -> str:
    """Bring the allocator into the state named on the command line, and describe it."""
    return pin() if choice == "pinned" else DEFAULT
