"""Judging a callee: whether calls of it can stay as they are, or should go to its optimised twin.

Invariant: a callee is left alone only when neither its own instructions nor what it calls by twins
in turn have array work, as far as enough calls have shown. Functions that call one another are
judged together. Read `runtime.unit` next.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from dyntrace.runtime.unit import Unit

__all__ = ["gains_nothing"]


def gains_nothing(unit: Unit) -> bool:
    """Whether there is no region in a unit, nor in those it calls by twins."""
    seen, waiting = {unit}, [unit]
    while waiting:
        one = waiting.pop()
        if _may_gain(one):
            return False
        new = set() if one.all_retired(one.woven) else set(one.callees) - seen
        seen |= new
        waiting += new
    return True


def _may_gain(unit: Unit) -> bool:
    """Whether there is array work in its own instructions, or may turn out to be."""
    if unit.given_up or unit.pace.waits or not unit.version:
        return not unit.given_up
    return unit.is_learning() or any(known.does_work() for known in unit.used())
