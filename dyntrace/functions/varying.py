"""Varying sources: a region's entries read them by value, and each call brings another value.

A key, name or index that decides what is done is guarded by its value. That is right for modes and
flags, and wrong for `params[name]` in a loop over names. Invariant: once a region has entries for
`MAX_VALUES` values from one source, no region reads that source by value again; the instruction
that wants its value runs as it is. Read `functions.misses` for who asks.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from dyntrace.trace.regions.builder import Varying
from dyntrace.trace.sources import Local, Source, StackItem
from dyntrace.weaving.regions import RegionRecord

__all__ = ["MAX_VALUES", "varying_in"]

MAX_VALUES = 4


def varying_in(record: RegionRecord) -> Varying:
    """The locals, and the stack items at the region's start, that had `MAX_VALUES` values."""
    values: dict[Source, set[Any]] = {}
    for source, value in _read_by_value(record):
        values.setdefault(source, set()).add((type(value), value))
    many = [source for source, found in values.items() if len(found) >= MAX_VALUES]
    start = record.layout.start
    return frozenset((None if isinstance(one, Local) else start, one) for one in many)


def _read_by_value(record: RegionRecord) -> Iterable[tuple[Source, Any]]:
    for plan in record.plans:
        for step in plan.region.steps:
            if step.guard.op == "value" and isinstance(step.source, Local | StackItem):
                if type(step.guard.first) in (str, int):
                    yield step.source, step.guard.first
