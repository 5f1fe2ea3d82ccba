"""Waiting: compiling is put off while the budget has no room, and resumed when it has.

Meanwhile regions at work stay at work, recorders are jumped over, and what was learnt is kept.
Read `functions.pacing` for the decision.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from dyntrace.weaving.bypasses import CLOSED, OPEN
from dyntrace.weaving.weave import Woven

if TYPE_CHECKING:
    from dyntrace.functions.compiled_code import CompiledCode

__all__ = ["end_wait", "go_on", "may_compile"]


def may_compile(compiled: CompiledCode) -> bool:
    """Whether to compile now; if the budget has no room, recorders are left out until it has."""
    pace, versions = compiled.pace, compiled.versions
    free, affords = pace.is_free(), pace.affords()
    if free and not affords and not pace.waits:
        _move_recorders(compiled, CLOSED)
        if not versions.newest.layouts and not versions.newest.is_idle():
            compiled.use(Woven(versions.copy))
        pace.wait()
    return free and affords


def end_wait(compiled: CompiledCode) -> None:
    """Have frames come to the recorders again, and so to newer code, if compiling had to wait."""
    if compiled.pace.waits:
        compiled.pace.waits = False
        _move_recorders(compiled, OPEN)


def go_on(compiled: CompiledCode) -> None:
    """Have calls come to their recorder or to newer code, if that had to wait and can be now."""
    if compiled.pace.waits and not compiled.given_up and may_compile(compiled):
        end_wait(compiled)
        if compiled.versions.count:
            compiled.compile_now()
        else:
            compiled.start()


def _move_recorders(compiled: CompiledCode, state: int) -> None:
    """Have frames of every version pass by the recorders, or come to them again."""
    newest = compiled.versions.moved(None, state)
    if newest is not compiled.versions.newest:
        compiled.use(newest)
