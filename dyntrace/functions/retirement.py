"""Retirement: regions that are given up, or rest, leave code that runs; so may whole functions.

Bypasses lead past the stubs of such a region, in frames that run too. A function without a region
in use runs its original again, and its callers call it directly. Read `weaving.bypasses` for the
jumps, `functions.judging` for what counts as nothing to gain.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from dyntrace.functions import stages
from dyntrace.functions.judging import all_retired, gains_nothing
from dyntrace.runtime.handles import Region
from dyntrace.weaving.bypasses import CLOSED, state_of_bypass
from dyntrace.weaving.regions import RegionRecord
from dyntrace.weaving.weave import Woven

if TYPE_CHECKING:
    from dyntrace.functions.compiled_code import CompiledCode

__all__ = ["follow", "follow_all", "tell_callers"]


def follow(compiled: CompiledCode, region: Region) -> None:
    """Have the stubs of `region` jumped over, ask first or call it, as its state is now."""
    record = compiled.regions.record_of(region)
    if record is not None and not compiled.given_up:
        _move_bypasses(compiled, record, state_of_bypass(region))


def follow_all(compiled: CompiledCode, woven: Woven) -> None:
    """Do so for the regions of a version that were given up, or rest, when it was made."""
    for layout in woven.layouts:
        record = compiled.regions.of_layout(layout)
        if record is not None and (record.region.retired or record.region.resting):
            _move_bypasses(compiled, record, state_of_bypass(record.region))


def _move_bypasses(compiled: CompiledCode, record: RegionRecord, state: int) -> None:
    versions = compiled.versions
    newest = versions.newest
    stages.moved(compiled, record, state)
    moved = versions.moved(record.layout, state)
    if newest is not versions.newest:
        return  # a newer version has come meanwhile
    if not newest.recorders and all_retired(compiled, newest):
        compiled.use(Woven(versions.copy))
    elif moved is not newest:
        compiled.use(moved)
    else:
        tell_callers(compiled)


def tell_callers(compiled: CompiledCode) -> None:
    """Have calls of it stay as they are, if it has come to have nothing to gain."""
    compiled.calls_stay = gains_nothing(compiled)
    for caller in list(compiled.callers) if compiled.calls_stay else ():
        _call_plainly(caller)


def _call_plainly(compiled: CompiledCode) -> None:
    """Leave calls of functions without anything to gain as they are, in code that runs too."""
    plain = [one.original for one in list(compiled.callees) if gains_nothing(one)]
    for record in compiled.regions.all():
        if not record.does_work() and all(p.region.replaces(plain) for p in record.plans):
            compiled.regions.forget(record)
            _move_bypasses(compiled, record, CLOSED)
