"""One handler per micro-op, by theme; importing this package fills the table and freezes it.

A handler takes the frame and the micro-op's argument, changes the symbolic state, and returns the
unit to go on at, or None for the next one. It raises `Break` (or `Flush`) before or after changing
the state: the interpreter takes the whole instruction back. Every micro-op has a handler; a missing
one fails at import.
"""

from __future__ import annotations

from dyntrace.trace.opcodes import calls, containers, control, loads, operators
from dyntrace.trace.opcodes.table import HANDLERS, Handler

__all__ = ["HANDLERS", "Handler", "calls", "containers", "control", "loads", "operators"]
