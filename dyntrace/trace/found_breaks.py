"""Found breaks: the graph breaks of one analysis, each told once, at the instruction to blame.

CPython compiles a `with` or an `assert` to several instructions, and code that `finally` repeats
exists twice; the user wrote each of them once. Invariant: of the breaks of one source position, one
is kept for each reason. Read `breaks` for the catalogue, `trace.analysis` for who adds them.
"""

from __future__ import annotations

from collections.abc import Iterable

from dyntrace.asm.instructions import Body, Location
from dyntrace.breaks import (
    BRANCH_ON_DATA,
    CONTEXT_MANAGER,
    EXCEPTION_HANDLING,
    MAYBE_UNBOUND,
    RAISE,
    TOO_MANY_PATHS,
    UNKNOWN_CALLEE,
    UNKNOWN_VALUE,
    BreakReason,
)
from dyntrace.record import record
from dyntrace.trace.frame import Break
from dyntrace.trace.regions.paths import Path

__all__ = ["FoundBreak", "FoundBreaks"]

_NEED_WORK = (BRANCH_ON_DATA, MAYBE_UNBOUND)  # they break a graph only if there is one


@record(frozen=True)
class FoundBreak:
    """A graph break: the unit and source position where it is, and its reason."""

    unit: int
    lineno: int
    location: Location
    reason: BreakReason
    detail: str


class FoundBreaks:
    """The breaks found so far, by unit and by line."""

    def __init__(self, body: Body) -> None:
        self._body = body
        self._by_unit: dict[int, FoundBreak] = {}
        self._by_line: dict[int, list[FoundBreak]] = {}
        self._seen: set[tuple[Location, str, str]] = set()

    def all(self) -> list[FoundBreak]:
        return list(self._by_unit.values())

    def add_from(self, path: Path) -> None:
        """Add the break that ends `path`, unless it is no break to the user or is known already."""
        stop = path.stop
        if (
            not isinstance(stop, Break)
            or path.end in self._by_unit
            or stop.reason is EXCEPTION_HANDLING
            or (stop.reason in _NEED_WORK and not path.worthwhile)
        ):
            return
        location = self._body.units[path.end].location
        line = location.line
        if line is None or self._belongs_to_another(line, location, stop):
            return
        same = (location, stop.reason.code, stop.detail)
        if same not in self._seen:
            found = FoundBreak(path.end, line, location, stop.reason, stop.detail)
            self._seen.add(same)
            self._by_unit[path.end] = found
            self._by_line.setdefault(line, []).append(found)

    def add_too_many_paths(self, unit: int) -> None:
        """Say that the paths from `unit` on were not explored."""
        location = self._body.units[unit].location
        self._by_unit[unit] = FoundBreak(unit, location.line or 0, location, TOO_MANY_PATHS, "")

    def _belongs_to_another(self, line: int, location: Location, stop: Break) -> bool:
        """Whether a break on the same line accounts for this one."""
        if self._closes_block(line, stop.reason):
            return True
        return stop.reason is UNKNOWN_CALLEE and not stop.detail and self._callee_broke(location)

    def _callee_broke(self, call: Location) -> bool:
        """Whether a break at the callee's expression says already why the callee is unknown."""
        known = self._by_line.get(call.line or 0, ())
        return any(one.location != call and one.location.column == call.column for one in known)

    def _closes_block(self, line: int, reason: BreakReason) -> bool:
        """Whether this is part of a `with` or an `assert` on that line which has a break.

        A `with` calls `__exit__` and tests what it returns; an `assert` calls the error's class.
        """
        if reason not in (UNKNOWN_CALLEE, UNKNOWN_VALUE, CONTEXT_MANAGER):
            return False
        reasons = [found.reason for found in self._by_line.get(line, ())]
        if reason is UNKNOWN_CALLEE and RAISE in reasons:
            return True
        return CONTEXT_MANAGER in reasons

    def drop_unknown_values(self, absorbed: Iterable[int]) -> None:
        """Drop "unknown value" where a region has absorbed another copy of the same source.

        Values are unknown on paths that have never run, such as the second copy of a `finally`.
        """
        seen = {self._body.units[unit].location for unit in absorbed}
        for unit, found in list(self._by_unit.items()):
            if found.reason is UNKNOWN_VALUE and found.location in seen:
                del self._by_unit[unit]
