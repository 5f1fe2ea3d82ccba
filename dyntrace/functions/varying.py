"""Values that vary: what entries of a region read by value, though each call brings another.

A key, name or index that decides what is done is guarded by its value, which is right for modes and
flags, and wrong for `params[name]` in a loop over names. Invariant: once a region has entries for
`MAX_VALUES` values from one source, that source is not read by value again; the instruction that
wants its value runs as it is. Read `trace.regions.builder` next.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from dyntrace.trace.regions.builder import Varying
from dyntrace.trace.sources import Local, Source, StackItem
from dyntrace.weaving.regions import RegionRecord

__all__ = ["MAX_VALUES", "varying_in"]

MAX_VALUES = 4


def varying_in(known: RegionRecord) -> Varying:
    """The locals, and stack items at the region's start, that have had too many values."""
    values: dict[Source, set[Any]] = {}
    for source, value in _read_by_value(known):
        values.setdefault(source, set()).add((type(value), value))
    many = [source for source, found in values.items() if len(found) >= MAX_VALUES]
    start = known.layout.start
    return frozenset((None if isinstance(one, Local) else start, one) for one in many)


def _read_by_value(known: RegionRecord) -> Iterable[tuple[Source, Any]]:
    for plan in known.plans:
        for step in plan.region.steps:
            if step.guard.op == "value" and isinstance(step.source, Local | StackItem):
                if type(step.guard.first) in (str, int):
                    yield step.source, step.guard.first
