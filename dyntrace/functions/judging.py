"""Judging a callee: whether calls of it can stay as they are, or should go to its optimised copy.

Invariant: a callee is left alone only when neither its own instructions nor the callees that have
optimised copies in turn have array work, as far as enough calls have shown. Functions that call one
another are judged together. Read `functions.compiled_code` next.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from dyntrace.functions.compiled_code import CompiledCode
    from dyntrace.weaving.weave import Woven

__all__ = ["JUDGED_CALLS", "WATCHED_CALLS", "all_retired", "gains_nothing"]

WATCHED_CALLS = 32  # in which arguments of new kinds are looked for
JUDGED_CALLS = 128  # after which paths that were never taken count no more


def gains_nothing(compiled: CompiledCode) -> bool:
    """Whether there is no region in it, nor in what it calls by optimised copies."""
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
    """Whether there is array work in its own instructions, or may turn out to be."""
    if compiled.given_up or compiled.pace.waits or not compiled.versions.count:
        return not compiled.given_up
    return _is_learning(compiled) or any(known.does_work() for known in compiled.used())


def _is_learning(compiled: CompiledCode) -> bool:
    """Whether something is still to be seen, and calls so far were few."""
    recorders = compiled.versions.newest.recorders
    if recorders - {-1}:
        calls = [known.region.calls for known in compiled.regions.all()]
        return max([compiled.knowledge.visits, *calls]) < JUDGED_CALLS
    return bool(recorders) and compiled.knowledge.visits < WATCHED_CALLS


def all_retired(compiled: CompiledCode, woven: Woven) -> bool:
    """Whether no region of a version is in use."""
    found = [compiled.regions.of_layout(layout) for layout in woven.layouts]
    return all(known is None or known.region.retired for known in found)
