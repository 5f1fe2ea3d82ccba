"""How a test function is traced: optimised by itself, inside a `with` block, or by what runs it.

    plain      as it is
    run        as it is: the whole process runs under `python -m dyntrace run`
    optimize   `dyntrace.optimize(function)`
    with       inside `with dyntrace.optimize():`, so what runs the tests is not traced

Invariant: the same function is optimised once, so a test with many parameters, or inherited by many
classes, runs the graphs that its first calls recorded.
"""

from __future__ import annotations

import functools
import inspect
import sys
from collections.abc import Callable
from types import FunctionType, MethodType
from typing import Any

WAYS = ("run", "optimize", "with")


def wrapper(through: str) -> Callable[[Any], Any]:
    """What to apply to the callable of each test."""
    if through in ("plain", "run"):
        return lambda test: test
    import dyntrace

    make = dyntrace.optimize if through == "optimize" else _inside
    return functools.partial(_wrapped, functools.cache(make))


def _wrapped(make: Callable[[Any], Any], test: Any) -> Any:
    """A test's callable, traced; below Hypothesis what it calls with the examples is."""
    if type(test) is MethodType and type(test.__func__) is FunctionType:
        return MethodType(_wrapped(make, test.__func__), test.__self__)
    if type(test) is not FunctionType:
        return test
    handle = getattr(test, "hypothesis", None)
    if type(getattr(handle, "inner_test", None)) is not FunctionType:
        return make(test)
    if not getattr(handle, "traced", False):
        handle.inner_test, handle.traced = make(handle.inner_test), True
    return test


def _inside(function: FunctionType) -> Any:
    """`function`, whose calls run in a `with optimize()` block, and a coroutine to its end."""
    import dyntrace

    if inspect.iscoroutinefunction(function):

        @functools.wraps(function)
        async def driven(*args: Any, **kwargs: Any) -> Any:
            with dyntrace.optimize():
                return await function(*args, **kwargs)

        return driven

    @functools.wraps(function)
    def called(*args: Any, **kwargs: Any) -> Any:
        with dyntrace.optimize():
            return function(*args, **kwargs)

    return called


class InternalErrors:
    """Counts the errors of dyntrace's own; in a plain process there are none."""

    def __init__(self, through: str) -> None:
        self._count: Callable[[], int] = lambda: 0
        self._told = 0
        if through != "plain":
            from dyntrace import incidents

            self._count = incidents.count

    def taken(self) -> int:
        """How many there were since this was asked last."""
        note_traced()
        before, self._told = self._told, self._count()
        return self._told - before


_most_traced = 0


def note_traced() -> None:
    """Look how many functions are traced now: the collector may free them before the end."""
    global _most_traced
    family = sys.modules.get("dyntrace.functions.family")
    if family is not None:
        _most_traced = max(_most_traced, len(family._live))


def captured(through: str) -> tuple[int, int]:
    """How many functions this process has traced at a time, and the graphs of those that live."""
    if through == "plain":
        return 0, 0
    from dyntrace.functions.family import live_compiled
    from dyntrace.report.collect import stats_of

    all_compiled = live_compiled()
    return max(len(all_compiled), _most_traced), stats_of(all_compiled).graphs
