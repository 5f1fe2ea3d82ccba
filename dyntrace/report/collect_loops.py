"""Collects the reports of loops: what runs as machine code, what leaves it, what prevents it.

Invariant: every number comes from the counters of a loop program (`_native/ahead/loop_program.c`)
or of its region. Read `functions.hot_loops` for a loop's life, `report.records` for what the
numbers mean.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from typing import Any

from dyntrace import config
from dyntrace.breaks import CATALOGUE, LOOPS_INTERPRETED
from dyntrace.functions.compiled_code import CompiledCode
from dyntrace.functions.hot_loops import LoopRecord
from dyntrace.report.records import BreakReport, LoopExit, LoopReport
from dyntrace.runtime.causes import REASONS

__all__ = ["lines_in_loops", "loop_reports", "what_loops_lack"]


def loop_reports(compiled: CompiledCode) -> list[LoopReport]:
    """The loops of a code object, in the order of the bytecode."""
    loops = compiled.loops.known()
    return [_report(compiled, loop, loops) for loop in loops]


def lines_in_loops(compiled: CompiledCode) -> set[int | None]:
    """The lines of the loops that run as machine code."""
    units = compiled.facts.body.units if compiled.facts is not None else ()
    compiled_loops = [loop for loop in compiled.loops.known() if loop.programs]
    return {units[unit].location.line for loop in compiled_loops for unit in loop.site.units}


def what_loops_lack(all_compiled: Iterable[CompiledCode]) -> list[str]:
    """A note if there are loops and none can be compiled: what is missing, and how to get it."""
    if config.jit or not any(one.facts is not None and one.facts.heads for one in all_compiled):
        return []
    why = config.jit_lacks or "dyntrace.config.jit is False"
    return [f"{LOOPS_INTERPRETED.code}: {LOOPS_INTERPRETED.text}: {why}"]


def _report(compiled: CompiledCode, loop: LoopRecord, loops: list[LoopRecord]) -> LoopReport:
    region, programs = loop.known.region, loop.programs
    filename = compiled.original.co_filename
    declined = sum(one.declined for one in programs)
    exits = tuple(_exits(filename, loop))
    return LoopReport(
        filename,
        loop.site.lineno,
        _state(loop, loops),
        versions=len(programs),
        iterations=sum(one.iterations for one in programs),
        left=sum(one.count for one in exits) + declined + region.misses - region.learnt,
        calls=sum(one.calls for one in programs),
        declined=declined,
        exits=exits,
        obstacle=_obstacle(filename, loop),
        seconds=sum(one.owner.seconds for one in programs),
        size=_size(programs),
        texts=tuple(loop.texts),
    )


def _size(programs: list[Any]) -> int:
    if not programs:
        return 0
    from dyntrace.exec.kernels.llvm import size_of

    return sum(size_of(one.owner.image) for one in programs)


def _obstacle(filename: str, loop: LoopRecord) -> BreakReport | None:
    cause = REASONS.get(loop.known.region.cause)
    if loop.programs and cause is not None:
        return BreakReport.of(cause.code, filename, loop.site.lineno)
    if loop.obstacle is None:
        return None
    reason, detail, lineno = loop.obstacle
    return BreakReport.of(reason.code, filename, lineno, detail)


def _exits(filename: str, loop: LoopRecord) -> Iterator[LoopExit]:
    """Where iterations were left to CPython, the most frequent first."""
    found: Counter[Any] = Counter()
    for program, kept in zip(loop.programs, loop.texts, strict=False):
        for site, count in zip(kept.sites, program.exits[1:], strict=True):
            found[site] += count
    for site, count in found.most_common():
        if count:
            yield _exit(filename, site, count)


def _exit(filename: str, site: Any, count: int) -> LoopExit:
    code, _, detail = site.cause.partition(" ")
    if code not in CATALOGUE:
        return LoopExit("", site.cause, filename, site.lineno, count=count)
    entry = LoopExit.of(code, filename, site.lineno, detail)
    return LoopExit(code, entry.reason, filename, site.lineno, entry.hint, entry.why, count)


def _state(loop: LoopRecord, loops: list[LoopRecord]) -> str:
    """What became of a loop, in words."""
    if loop.programs:
        return "given up, compiled" if loop.known.region.retired else "compiled"
    if loop.pending:
        return "being compiled"
    if loop.obstacle is not None:
        return "not compiled"
    for around in loops:
        if around.programs and loop.site.head in around.site.units:
            return f"part of the loop at line {around.site.lineno}"
    if not loop.known.region.calls and not loop.seen:
        return "not reached often enough to be compiled"
    return "not compiled yet: it has taken little time so far"
