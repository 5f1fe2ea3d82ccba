"""Screen: the few lines that `run --stats` prints at exit: where the time went, and why.

Invariant: no figure is estimated. Reasons come from the break catalogue and from the verdicts on
functions. `programs.accounts` counts the time.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from typing import Any

from dyntrace.programs.accounts import Accounts, Function, Place

__all__ = ["hot_functions", "screen"]

PLACES = 5
FUNCTIONS = 20

COLD = "cold: too little time to be looked at"
WITHOUT_ARRAYS = "meets no arrays"
GENERATOR = "a generator expression is left as it is; what it calls is compiled when it is warm"
WITHOUT_WORK = "looked at: no work on whole arrays"
WAITS = "waits for the budget of analysis"
BETWEEN = "compiled; this line is in no graph"


def screen(accounts: Accounts, seconds: float, analysis: float) -> str:
    """The lines of `run --stats`; `analysis` are the seconds that dyntrace itself spent."""
    graphs = accounts.in_graphs()
    parts = [
        f"dyntrace: {seconds:.2f} s in all, {share(graphs, seconds)} in graphs, "
        f"{share(analysis, seconds)} in analysis",
        f"functions: {accounts.candidates} seen, {len(accounts.verdicts)} warm, "
        f"{sum(map(has_run, all_compiled()))} compiled",
    ]
    programs = [one for compiled in all_compiled() for one in compiled.loops.programs()]
    if programs:
        count = sum(one.iterations for one in programs)
        parts.append(f"loops: {len(programs)} compiled, {count} iterations in machine code")
    places = accounts.uncaptured(PLACES)
    if places:
        parts.append("most time outside graphs:")
    parts += [
        f"  {spent:7.2f} s  {where(place)}: {reason(accounts, place)}" for place, spent in places
    ]
    return "\n".join(parts)


def hot_functions(accounts: Accounts) -> list[str]:
    """A line for each of the busiest functions: its time, and the share in graphs or the reason."""
    whole = sum(accounts.seconds.values()) or 1.0
    lines = []
    for function, (seconds, graphs) in list(accounts.functions().items())[:FUNCTIONS]:
        outcome = f"{100 * graphs / (seconds or 1.0):.0f} % of it in graphs"
        if not graphs:
            outcome = reason(accounts, Place(function, 0, False))
        lines.append(f"{share(seconds, whole)}: {described(function)}, {outcome}")
    return lines


def share(part: float, whole: float) -> str:
    return f"{part:.2f} s ({100 * part / (whole or 1.0):.0f} %)"


def described(function: Function) -> str:
    return f"{shortened(function.filename)}:{function.first_line} {function.name}"


def where(place: Place) -> str:
    return f"{shortened(place.function.filename)}:{place.line} in {place.function.name}"


def shortened(filename: str) -> str:
    """The path relative to the working directory if it lies below it."""
    return filename.removeprefix(os.path.join(os.getcwd(), ""))


def reason(accounts: Accounts, place: Place) -> str:
    """Why the time at a place is spent outside graphs."""
    if place.function.name == "<module>":
        from dyntrace.breaks import MODULE_LEVEL

        return f"{MODULE_LEVEL.code} {MODULE_LEVEL.text}"
    for compiled in all_compiled():
        if is_of(compiled, place.function):
            if compiled.pace.waits or not compiled.versions.count:
                return WAITS
            return next(
                reasons_at(compiled, place.line), BETWEEN if has_run(compiled) else WITHOUT_WORK
            )
    if place.function not in accounts.verdicts:
        return COLD
    if place.function.name.endswith("<genexpr>"):
        return GENERATOR
    return WITHOUT_ARRAYS if accounts.verdicts[place.function] is False else WAITS


def reasons_at(compiled: Any, line: int) -> Iterator[str]:
    """The reasons of compiled code for a line, or for all its lines if `line` is 0."""
    from dyntrace.breaks import NOT_WORTH_IT

    for found in compiled.knowledge.breaks:
        if line in (0, found.lineno):
            detail = f": {found.detail}" if found.detail else ""
            yield f"{found.reason.code} {found.reason.text}{detail}"
    for left in compiled.knowledge.left_alone:
        if line == 0 or left.lineno <= line <= left.end_lineno:
            yield f"{NOT_WORTH_IT.code} {NOT_WORTH_IT.text}"
    for record in compiled.retired():
        if is_at(record, line):
            yield "its graph was given up"
    for record in compiled.used():
        if is_at(record, line) and record.region.skips > record.region.compared:
            yield "its graph is left out where the original instructions are faster"
    for loop in compiled.loops.known():
        if loop.obstacle is not None and line in (0, loop.obstacle[2]):
            reason, detail, _ = loop.obstacle
            yield f"{reason.code} {reason.text}" + (f": {detail}" if detail else "")
    yield from compiled.knowledge.notes


def is_at(record: Any, line: int) -> bool:
    """Whether a line is part of a region; line 0 is part of each."""
    return line == 0 or bool(record.plans[0].lineno <= line <= record.plans[0].end_lineno)


def is_of(compiled: Any, function: Function) -> bool:
    code = compiled.original
    return (code.co_filename, code.co_qualname, code.co_firstlineno) == tuple(function)


def has_run(compiled: Any) -> bool:
    """Whether any graph of the compiled code has run."""
    return any(sum(record.region.runs) for record in compiled.regions.all())


def all_compiled() -> list[Any]:
    """All compiled code; empty, without importing the tracer, if it has not been imported."""
    compiled: Any = sys.modules.get("dyntrace.functions.family")
    return [] if compiled is None else list(compiled.live_compiled())
