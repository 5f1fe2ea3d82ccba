"""Stages: what `DYNTRACE_DEBUG` prints of one code object: traces, versions, bypasses, loops.

Invariant: nothing is formatted unless the stage is wanted. Read `debugging` for where it goes.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from dyntrace.debugging import tell, wanted
from dyntrace.runtime.causes import REASONS
from dyntrace.weaving.bypasses import CLOSED, RESTING

if TYPE_CHECKING:
    from dyntrace.exec.kernels.outcome import LoopText
    from dyntrace.functions.compiled_code import CompiledCode
    from dyntrace.functions.hot_loops import LoopRecord
    from dyntrace.trace.analysis import Analysis
    from dyntrace.weaving.regions import RegionRecord
    from dyntrace.weaving.weave import Woven

__all__ = ["loop_compiled", "loop_failed", "loop_hot", "moved", "traced", "woven"]

_TELLS_TRACE, _TELLS_WEAVE, _TELLS_RETIRE = map(wanted, ("trace", "weave", "retire"))
_TELLS_LOOP, _TELLS_LLVM = map(wanted, ("loop", "llvm"))


def traced(compiled: CompiledCode, analysis: Analysis) -> None:
    """What an analysis has found: the graphs to be woven, and the breaks."""
    if not _TELLS_TRACE:
        return
    lines = [f"{compiled.name}, analysis {compiled.versions.count + 1}"]
    for plans in analysis.plans.values():
        for plan in plans:
            count, first, last = len(plan.region.graph.nodes), plan.lineno, plan.end_lineno
            place = f"line {first}" if first == last else f"lines {first} to {last}"
            lines.append(f"{place}: a graph of {count} node{'s' * (count != 1)}")
    for found in sorted(analysis.breaks.all(), key=lambda item: item.unit):
        detail = f" ({found.detail})" if found.detail else ""
        lines.append(f"line {found.lineno}: {found.reason.code} {found.reason.text}{detail}")
    _tell("trace", compiled, lines)


def woven(compiled: CompiledCode, version: Woven) -> None:
    """What a version of the code has in it."""
    if not _TELLS_WEAVE:
        return
    body = compiled.facts.body if compiled.facts is not None else None
    size, before = len(version.code.co_code), len(compiled.original.co_code)
    lines = [
        f"{compiled.name}, version {compiled.versions.count}: {before} bytes have become {size}"
    ]
    for layout in version.layouts:
        line = body.units[layout.start].location.line if body is not None else 0
        lines.append(f"line {line}: region of {len(layout.arguments)} arguments")
    for point in sorted(version.recorders - {-1}):
        line = body.units[compiled.knowledge.stops[point]].location.line if body is not None else 0
        lines.append(f"line {line}: recorder")
    _tell("weave", compiled, lines)


def moved(compiled: CompiledCode, known: RegionRecord, state: int) -> None:
    """Why a region's stubs are passed by, or come to be called again."""
    if not (_TELLS_LOOP if known.is_loop else _TELLS_RETIRE):
        return
    if known.is_loop:
        _loop_moved(compiled, known, state)
        return
    lineno = known.plans[0].lineno if known.plans else compiled.original.co_firstlineno
    cause = REASONS.get(known.region.cause)
    why = f", {cause.code} {cause.text}" if state == CLOSED and cause is not None else ""
    what = "is given up" if state == CLOSED else "rests" if state == RESTING else "is called again"
    text = f"{compiled.name}: region {what}{why} after {known.region.calls} calls"
    tell("retire", compiled.original.co_filename, lineno, text)


def loop_hot(compiled: CompiledCode, loop: LoopRecord) -> None:
    """A loop has taken long enough, and has been traced."""
    if _TELLS_LOOP:
        _tell_of(compiled, loop, "is hot, and is being compiled")


def loop_compiled(compiled: CompiledCode, loop: LoopRecord, text: LoopText) -> None:
    """A loop has machine code for some kinds, made of `text`."""
    if _TELLS_LOOP:
        spent = 1e3 * loop.programs[-1].owner.seconds
        _tell_of(compiled, loop, f"is compiled, in {spent:.0f} ms")
    if _TELLS_LLVM:
        tell("llvm", compiled.original.co_filename, loop.site.lineno, f"loop\n{text.text}")


def loop_failed(compiled: CompiledCode, loop: LoopRecord) -> None:
    """A loop cannot be compiled for the kinds at hand."""
    if _TELLS_LOOP and loop.obstacle is not None:
        reason, detail, lineno = loop.obstacle
        why = f"{reason.code} {reason.text}" + (f": {detail}" if detail else "")
        _tell_of(compiled, loop, f"is not compiled: line {lineno}: {why}")


def _loop_moved(compiled: CompiledCode, known: RegionRecord, state: int) -> None:
    loop = compiled.loops.of(known.region)
    what = {CLOSED: "is given up", RESTING: "waits"}.get(state, "runs as machine code")
    if loop is not None:
        _tell_of(compiled, loop, what)


def _tell_of(compiled: CompiledCode, loop: LoopRecord, what: str) -> None:
    filename, lineno = compiled.original.co_filename, loop.site.lineno
    tell("loop", filename, lineno, f"{compiled.name}: the loop {what}")


def _tell(stage: str, compiled: CompiledCode, lines: list[str]) -> None:
    code = compiled.original
    tell(stage, code.co_filename, code.co_firstlineno, "\n".join(lines))
