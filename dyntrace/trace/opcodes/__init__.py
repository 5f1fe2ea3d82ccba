"""One handler per micro-op, by theme; importing this package fills the table in `trace.stepping`.

A handler takes the frame and the micro-op's argument, changes the symbolic state, and returns the
unit to go on at, or None for the next one. It may raise `Break` or `Flush` at any time, since the
interpreter then undoes the whole instruction. Invariant: each micro-op has a handler; a missing one
fails at import. Read `trace.semantics.protocol` for what most handlers call.
"""

from __future__ import annotations

from dyntrace.asm.flow import MICRO_OPS
from dyntrace.trace.opcodes import building, calls, control, loads, operations
from dyntrace.trace.semantics.builtin_calls import RULES
from dyntrace.trace.stepping import HANDLERS, step

__all__ = ["building", "calls", "control", "loads", "operations", "step"]

HANDLERS.freeze()
RULES.freeze()
if set(HANDLERS) != MICRO_OPS:
    raise ImportError(f"micro-ops without a handler, or unknown: {set(HANDLERS) ^ MICRO_OPS}")
