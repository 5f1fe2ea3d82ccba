"""The causes for which a region is retired, and the break reason that reports each.

Invariant: the numbers are those of the C enum `Cause`. `runtime.region` sets a region's cause;
`report.collect` and `functions.stages` report it. Read `runtime.region` next.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import IntEnum
from types import MappingProxyType

from dyntrace import breaks

__all__ = ["REASONS", "Cause"]


class Cause(IntEnum):
    """Why calls of a region failed, and so why it is retired."""

    NONE = 0
    MISSES = 1
    FLOATING = 2
    ERRORS = 3
    DECLINED = 4
    SLOWER = 5


REASONS: Mapping[int, breaks.BreakReason] = MappingProxyType(
    {
        Cause.MISSES: breaks.RETIRED_MISSES,
        Cause.FLOATING: breaks.RETIRED_FLOATING,
        Cause.ERRORS: breaks.RETIRED_ERRORS,
        Cause.DECLINED: breaks.RETIRED_DECLINED,
        Cause.SLOWER: breaks.RETIRED_SLOWER,
    }
)
