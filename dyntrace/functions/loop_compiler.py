"""Tracing a hot loop with the kinds that its stub passed, and having it compiled.

Imported when the first loop is hot, with the tracer of loops and the writer of machine code.
Tracing runs on the program's thread, since it looks at globals, and takes a millisecond or so.
Invariant: what is kept of a loop holds none of the user's objects. Read `trace.loops.loop_tracer`
and `exec.kernels.loop_programs` for the two halves.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from dyntrace.breaks import LOOP_KINDS
from dyntrace.exec.kernels.held import NoRule
from dyntrace.exec.kernels.loop_programs import compile_later, program_of
from dyntrace.exec.kernels.loop_text import LoopText, emit
from dyntrace.graph.describe import describe
from dyntrace.graph.kinds import Kind, UnseenKind
from dyntrace.record import record
from dyntrace.trace.frame import Break
from dyntrace.trace.loops.lists import numbers_kind
from dyntrace.trace.loops.loop_frames import LoopFacts
from dyntrace.trace.loops.loop_tracer import LoopTracer
from dyntrace.trace.loops.outer import IteratorInput, iterator_input
from dyntrace.trace.loops.sites import LoopSite
from dyntrace.trace.sources import CellVariable, Source

__all__ = ["PreparedLoop", "compile_prepared", "prepare", "program_now"]


@record(frozen=True, eq=False)
class PreparedLoop:
    """A loop that is ready to be compiled: the guards of its inputs, and its text."""

    steps: tuple[Any, ...]
    uses: tuple[int, ...]
    text: LoopText


def prepare(
    facts: LoopFacts,
    namespace: dict[str, Any],
    site: LoopSite,
    args: tuple[Any, ...],
    settles: bool = False,
) -> PreparedLoop:
    """Trace a loop for the values that its stub passed; Break if it cannot be compiled for them.

    `settles` refuses kinds that an iteration may change: those that it changes them to are better.
    """
    expected, iterator = _kinds(site, args)
    tracer = LoopTracer(facts, namespace, site, expected, iterator)
    loop = tracer.trace()
    changes = [stop for stop in loop.stops if stop.reason is LOOP_KINDS]
    if settles and changes:
        raise Break(LOOP_KINDS, changes[0].detail)
    try:
        text = emit(loop, "" if iterator is None else iterator.code)
    except NoRule as found:
        raise Break(found.reason, found.detail, lineno=found.lineno) from None
    builder = tracer.builder
    builder.drop_tracing_state()
    return PreparedLoop(builder.entry_steps(), builder.entry_uses(), text)


def compile_prepared(prepared: PreparedLoop, deliver: Callable[[Any], None]) -> bool:
    """Compile it beside the program; see `exec.kernels.loop_programs.compile_later`."""
    return compile_later(prepared.text, deliver)


def program_now(prepared: PreparedLoop) -> Any:
    """Compile it while the program waits: for tests."""
    return program_of(prepared.text)


def _kinds(site: LoopSite, args: tuple[Any, ...]) -> tuple[dict[int, Kind], IteratorInput | None]:
    """The kinds of the slots that were passed, and what is known of the iterator."""
    expected = {}
    for slot, source, value in zip(site.passed, site.layout.arguments, args, strict=False):
        expected[slot] = _kind_in_loop(_contents(source, value))
    return expected, iterator_input(args[-1]) if site.is_for else None


def _kind_in_loop(value: Any) -> Kind:
    """The kind of a value; a long list of numbers is more than an unseen one."""
    kind = describe(value)
    return (numbers_kind(value) or kind) if isinstance(kind, UnseenKind) else kind


def _contents(source: Source, value: Any) -> Any:
    """What a slot holds: the value that the stub passed, or the contents of the cell."""
    if isinstance(source, CellVariable):
        try:
            return value.cell_contents
        except ValueError:
            return None
    return value
