"""Fewer garbage collections while a function is compiled.

A compilation makes many objects at once, and nearly all of them live on; each collection would look
through them and through the rest of the program in vain. Invariant: the collector's threshold is
put back unless someone else has set it meanwhile; a disabled collector stays disabled. Read
`functions.compiled_code`, the user, next.
"""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager

__all__ = ["rare_collections"]

ALLOCATIONS = 200_000  # between two collections of the youngest generation


@contextmanager
def rare_collections() -> Iterator[None]:
    """Collect only after many more allocations than usual, inside the block."""
    usual = gc.get_threshold()
    rare = (ALLOCATIONS, *usual[1:])
    if not 0 < usual[0] < ALLOCATIONS:
        yield
        return
    gc.set_threshold(*rare)
    try:
        yield
    finally:
        if gc.get_threshold() == rare:
            gc.set_threshold(*usual)
