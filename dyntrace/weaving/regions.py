"""Regions: those of one code object, kept from version to version, with what each was made from.

A `Region` is what a stub calls; its `RegionRecord` has the layout, the state it was traced from and
the plans of its entries. Invariant: regions hold their `RegionOwner`, which holds them, weakly.
Read `runtime.region` for a region's call, `weaving.weave` for its stub.
"""

from __future__ import annotations

import weakref
from collections.abc import Callable
from typing import Any, Protocol

import numpy as np

from dyntrace import config
from dyntrace.graph.verify import verify
from dyntrace.record import field, record
from dyntrace.runtime import faults
from dyntrace.runtime.handles import Region
from dyntrace.trace.regions.flush import Layout
from dyntrace.trace.regions.paths import RegionPlan
from dyntrace.trace.regions.worth import sized_inputs
from dyntrace.trace.state import State

__all__ = ["RegionOwner", "RegionRecord", "Regions"]

DEOPT_LIMIT = 3


class RegionOwner(Protocol):
    """Who is told what becomes of regions."""

    def on_miss(self, region: Region, args: tuple[Any, ...]) -> bool:
        """No entry of `region` fits `args`; True if one does now."""

    def on_retire(self, region: Region) -> None:
        """`region` has been given up."""

    def on_rest(self, region: Region) -> None:
        """`region` declines all calls from now on, or no more."""


@record(eq=False)
class RegionRecord:
    """A region, and what it was made from.

    layout    what its stub passes and sets
    state     the state it was first traced from
    plans     of each entry, what was traced
    steps     of each entry, the guard steps
    programs  of each entry, what runs its graph
    misses    the calls that no entry fitted
    is_loop   whether it runs the iterations of a loop (`functions.hot_loops`)
    """

    layout: Layout
    state: State
    region: Region
    plans: list[RegionPlan] = field(default_factory=list)
    steps: list[Any] = field(default_factory=list)
    programs: list[Callable[..., Any]] = field(default_factory=list)
    misses: int = 0
    is_loop: bool = False

    def does_work(self) -> bool:
        """Whether it is in use, and not just to pass the optimised copy of a callee."""
        return not self.region.retired and (self.is_loop or any(plan.works for plan in self.plans))


class Regions:
    """The regions of a code object by layout, kept from version to version."""

    def __init__(self, compile_graph: Callable[..., Any], owner: RegionOwner) -> None:
        self._compile_graph = compile_graph
        self._owner = weakref.ref(owner)
        self._by_layout: dict[Layout, RegionRecord] = {}

    def of(self, plan: RegionPlan) -> RegionRecord:
        """The region for `plan`, with an entry for it."""
        found = self._by_layout.get(plan.layout)
        if found is None:
            found = self._by_layout[plan.layout] = RegionRecord(
                plan.layout, plan.state, self._region(plan)
            )
        if not found.region.retired:
            self.add_entry(found, plan)
        return found

    def of_loop(self, layout: Layout, state: State) -> RegionRecord:
        """The region that runs a loop, made at its first use; its entries come later."""
        found = self._by_layout.get(layout)
        if found is None:
            region = self._new_region()
            region.deopt_limit = 0  # its machine code tells when it is of no use
            found = RegionRecord(layout, state, region, is_loop=True)
            self._by_layout[layout] = found
        return found

    def _new_region(self) -> Region:
        region = Region()
        region.on_miss = self._missed
        region.on_retire = self._retired
        region.on_rest = self._rested
        region.deopt_limit = DEOPT_LIMIT
        return region

    def _region(self, plan: RegionPlan) -> Region:
        region = self._new_region()
        region.commits = plan.layout.effect_only
        if config.measure and plan.ends_at is not None:
            region.measure()
        return region

    def _missed(self, region: Region, args: tuple[Any, ...]) -> bool:
        owner = self._owner()
        return owner is not None and bool(owner.on_miss(region, args))

    def _retired(self, region: Region) -> None:
        owner = self._owner()
        if owner is not None:
            owner.on_retire(region)

    def _rested(self, region: Region) -> None:
        owner = self._owner()
        if owner is not None:
            owner.on_rest(region)

    def add_entry(self, to: RegionRecord, plan: RegionPlan) -> bool:
        """Add an entry for the inputs that `plan` was traced for; False if there is one."""
        if any(plan is other for other in to.plans):
            return False
        steps = plan.region.entry_steps()
        if any(_same_steps(steps, other) for other in to.steps):
            return False
        if config.strict:
            verify(plan.region.graph)
        program = self._compile_graph(plan.region.graph)
        run = faults.guarded_run(to.region, program)
        to.steps.append(steps)
        to.programs.append(program)
        to.plans.append(plan)
        uses = plan.region.entry_uses()
        sized = tuple(uses[place] for place in sized_inputs(plan.region.graph))
        to.region.add((steps, uses, run, True, sized))
        return True

    def record_of(self, region: Region) -> RegionRecord | None:
        return next((one for one in self._by_layout.values() if one.region is region), None)

    def of_layout(self, layout: Layout) -> RegionRecord | None:
        return self._by_layout.get(layout)

    def of_layouts(self, layouts: tuple[Layout, ...]) -> list[RegionRecord]:
        """The regions of a version, in the order of the bytecode."""
        found = [self._by_layout[layout] for layout in layouts if layout in self._by_layout]
        return [one for one in found if one.plans]

    def forget(self, dropped: RegionRecord) -> None:
        """Drop a region; its handles answer None from now on."""
        self._by_layout.pop(dropped.layout, None)

    def clear(self) -> None:
        self._by_layout = {}

    def all(self) -> list[RegionRecord]:
        return list(self._by_layout.values())


def _same_steps(one: tuple[Any, ...], other: tuple[Any, ...]) -> bool:
    return len(one) == len(other) and all(map(_same_step, one, other))


def _same_step(one: tuple[Any, ...], other: tuple[Any, ...]) -> bool:
    for mine, its in zip(one, other, strict=True):
        if mine is its:
            continue
        if type(mine) is not type(its) or (
            type(mine) not in (int, str) and not _equal_plain(mine, its)
        ):
            return False
        if type(mine) in (int, str) and mine != its:
            return False
    return True


def _equal_plain(mine: Any, its: Any) -> bool:
    """Whether two dtypes, or two tuples of the keys of a dict, are the same."""
    if isinstance(mine, tuple):
        return len(mine) == len(its) and all(
            type(a) is type(b) and a == b for a, b in zip(mine, its, strict=True)
        )
    return isinstance(mine, np.dtype) and bool(mine == its)
