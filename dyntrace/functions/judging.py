"""Judging a callee: do calls of it stay as they are, or go to its optimised copy?

Invariant: a callee is left alone only when neither its own instructions nor the callees that have
optimised copies in turn have array work, as far as enough calls have shown. Functions that call one
another are judged together. Read `functions.retirement` for what follows.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from dyntrace.functions.compiled_code import CompiledCode
    from dyntrace.weaving.weave import Woven

__all__ = ["JUDGED_CALLS", "WATCHED_CALLS", "all_retired", "gains_nothing"]

WATCHED_CALLS = 32  # calls whose arguments are looked at for new kinds
JUDGED_CALLS = 128  # calls after which paths that were never taken do not count


def gains_nothing(compiled: CompiledCode) -> bool:
    """Whether neither the code nor a callee with an optimised copy has a region at work."""
    seen, waiting = {compiled}, [compiled]
    while waiting:
        one = waiting.pop()
        if _may_gain(one):
            return False
        new = set() if all_retired(one, one.versions.newest) else set(one.callees) - seen
        seen |= new
        waiting += new
    return True


def _may_gain(compiled: CompiledCode) -> bool:
    """Whether its own instructions have array work, or recorders may still find some."""
    if compiled.given_up or compiled.pace.waits or not compiled.versions.count:
        return not compiled.given_up
    if compiled.loops.may_gain():
        return True
    return _is_learning(compiled) or any(known.does_work() for known in compiled.used())


def _is_learning(compiled: CompiledCode) -> bool:
    """Whether recorders are in the code and calls so far were few."""
    recorders = compiled.versions.newest.recorders
    if recorders - {-1}:
        calls = [known.region.calls for known in compiled.regions.all()]
        return max([compiled.knowledge.visits, *calls]) < JUDGED_CALLS
    return bool(recorders) and compiled.knowledge.visits < WATCHED_CALLS


def all_retired(compiled: CompiledCode, woven: Woven) -> bool:
    """Whether no region of a version is in use."""
    found = [compiled.regions.of_layout(layout) for layout in woven.layouts]
    return all(known is None or known.region.retired for known in found)
