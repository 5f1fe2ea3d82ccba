"""Limits: notes on graphs that run, but not for all inputs (DT605), or not on the machine (DT606).

A limit that ends a graph is reported as a break instead, at the line where the tracer met it.
Invariant: a note begins with its code in the catalogue and names the lines.
"""

from __future__ import annotations

from collections.abc import Iterator

from dyntrace.breaks import MANY_DIMENSIONS, MANY_KINDS, BreakReason
from dyntrace.exec.lower.lowering import MAX_NDIM
from dyntrace.graph.kinds import ArrayKind
from dyntrace.graph.node import Graph
from dyntrace.weaving.regions import RegionRecord

__all__ = ["limits_met"]


def limits_met(used: list[RegionRecord]) -> Iterator[str]:
    """A note for each graph that has no room for more entries, or more axes than the machine."""
    for record in used:
        if not record.does_work():
            continue
        others = [one for one in used if one.layout.start == record.layout.start]
        if record.region.on_miss is None and others == [record]:
            yield _note(record, MANY_KINDS)
        if any(_has_many_dimensions(plan.region.graph) for plan in record.plans):
            yield _note(record, MANY_DIMENSIONS)


def _note(record: RegionRecord, reason: BreakReason) -> str:
    plan = record.plans[0]
    place = f"line {plan.lineno}"
    if plan.end_lineno != plan.lineno:
        place = f"lines {plan.lineno}-{plan.end_lineno}"
    return f"{reason.code}: {reason.text} ({place})"


def _has_many_dimensions(graph: Graph) -> bool:
    kinds = [node.kind for node in (*graph.inputs, *graph.nodes)]
    return any(isinstance(kind, ArrayKind) and kind.ndim > MAX_NDIM for kind in kinds)
