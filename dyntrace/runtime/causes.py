"""Why a region was given up, and where the catalogue says so.

Invariant: the numbers are those of `Cause` in `_native/native.h`. Read `weaving.bypasses` next.
"""

from __future__ import annotations

from enum import IntEnum

from dyntrace import breaks

__all__ = ["REASONS", "Cause"]


class Cause(IntEnum):
    """What a region failed at."""

    NONE = 0
    MISSES = 1
    FLOATING = 2
    ERRORS = 3
    DECLINED = 4
    SLOWER = 5


REASONS: dict[int, breaks.BreakReason] = {
    Cause.MISSES: breaks.RETIRED_MISSES,
    Cause.FLOATING: breaks.RETIRED_FLOATING,
    Cause.ERRORS: breaks.RETIRED_ERRORS,
    Cause.DECLINED: breaks.RETIRED_DECLINED,
    Cause.SLOWER: breaks.RETIRED_SLOWER,
}
