"""Profile: the kinds that instructions were seen to push, collected by recorders.

Only kinds are kept, never the values, so recording does not prolong any object's life. A point
keeps a few kinds; what differs later is met by the regions' own guards. Read
`functions.compiled_code` next.
"""

from __future__ import annotations

from typing import Any

from dyntrace.graph.describe import describe
from dyntrace.graph.kinds import Kind

__all__ = ["Profile"]

MAX_RESULTS = 3


class Profile:
    """What has been seen at each point; `changed` since the last compilation."""

    def __init__(self) -> None:
        self.results: dict[int, list[tuple[Kind, ...]]] = {}
        self.counts: dict[int, int] = {}
        self.changed = False

    def record(self, point: int, values: tuple[Any, ...]) -> int:
        """Note what was pushed at `point`; how often that has happened."""
        self.counts[point] = self.counts.get(point, 0) + 1
        seen = self.results.setdefault(point, [])
        kinds = tuple(describe(value) for value in values)
        if kinds not in seen and len(seen) < MAX_RESULTS:
            seen.append(kinds)
            self.changed = True
        return self.counts[point]
