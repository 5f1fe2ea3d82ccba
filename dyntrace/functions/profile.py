"""Profile: the kinds that instructions were seen to push, collected by recorders.

Invariant: a profile holds kinds and never a value, so recording prolongs no object's life. A point
keeps the first few kinds; a region's guards refuse others. Read `trace.analysis` for its use.
"""

from __future__ import annotations

from typing import Any

from dyntrace.graph.describe import describe
from dyntrace.graph.kinds import Kind

__all__ = ["Profile"]

MAX_RESULTS = 3


class Profile:
    """The kinds seen at each point; `changed` if there are new ones since the last version."""

    def __init__(self) -> None:
        self.results: dict[int, list[tuple[Kind, ...]]] = {}
        self.counts: dict[int, int] = {}
        self.changed = False

    def record(self, point: int, values: tuple[Any, ...]) -> int:
        """Note the kinds pushed at `point`; the number of visits so far."""
        self.counts[point] = self.counts.get(point, 0) + 1
        seen = self.results.setdefault(point, [])
        kinds = tuple(describe(value) for value in values)
        if kinds not in seen and len(seen) < MAX_RESULTS:
            seen.append(kinds)
            self.changed = True
        return self.counts[point]
