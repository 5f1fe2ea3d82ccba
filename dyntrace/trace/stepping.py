"""The table of opcode handlers, and how a unit or a whole callee is run with it.

The modules in `trace.opcodes` register their handlers here. `trace.semantics.inline` runs callees
through this module; importing `trace.opcodes`, which imports it, would be a cycle. Invariant: a
micro-op has one handler. Read `trace.opcodes` next, and `trace.interpreter` for what happens when a
unit cannot be absorbed.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeAlias

from dyntrace.asm.instructions import Body, Unit
from dyntrace.breaks import LOOP_INSIDE_INLINED
from dyntrace.registries import Registry
from dyntrace.trace.frame import Break, Frame
from dyntrace.trace.values.base import Value

__all__ = ["HANDLERS", "Handler", "first_unit", "opcode", "run_inlined", "step"]

MAX_INLINED_UNITS = 4000

Handler: TypeAlias = Callable[[Frame, Any], "int | None"]
HANDLERS: Registry[str, Handler] = Registry()


def opcode(name: str) -> Callable[[Handler], Handler]:
    """Register the handler of micro-op `name`; ValueError if there is one."""

    def add(handler: Handler) -> Handler:
        if name in HANDLERS:
            raise ValueError(f"micro-op {name} has two handlers")
        HANDLERS[name] = handler
        return handler

    return add


def step(frame: Frame, unit: Unit) -> int:
    """Run the handlers of one unit; return the index of the unit that follows."""
    if unit.location.line is not None:
        frame.lineno = unit.location.line
    target = None
    for micro in unit.micro:
        target = HANDLERS[micro.name](frame, micro.arg)
    return unit.index + 1 if target is None else target


def first_unit(body: Body) -> int:
    """The unit after the first RESUME: no stub may stand before it."""
    for unit in body.units:
        if any(micro.name == "RESUME" for micro in unit.micro):
            return unit.index + 1
    return 0


def run_inlined(frame: Frame) -> Value:
    """Trace a callee's body and return its result; Break, Flush or Refused if it cannot be."""
    index = first_unit(frame.body)
    for _ in range(MAX_INLINED_UNITS):
        index = step(frame, frame.body.units[index])
        if frame.result is not None:
            return frame.result
    raise Break(LOOP_INSIDE_INLINED)
