"""Pacing: when a code object may be compiled, and whether another version is worth its cost.

Compiling may begin while no thread compiles, the program has patched no built-in, and the budget
has room for as much time as the last version took. A code object that has to wait runs its original
meanwhile, and `on_wait` is called. Invariant: with an unlimited budget nothing waits and nothing is
given up. Read `functions.waiting` next.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from time import thread_time

from dyntrace.budget import Budget, cost_of
from dyntrace.isolation import has_patched_builtins

__all__ = ["COMPILING", "Pace"]

COMPILING = threading.Lock()  # only ever held by `with`, which no interrupt can come between
MAX_FRUITLESS = 4  # versions without a region
MAX_SILENCE = 255  # passes


class Silence:
    """How many passes a recorder says nothing: twice as many each time the budget refuses it."""

    __slots__ = ("length", "pace", "passes", "refused")

    def __init__(self, pace: Pace) -> None:
        self.pace = pace
        self.passes = self.length = self.refused = 0

    def lasts(self) -> bool:
        """Whether this pass is silent; `begins` follows one that is not."""
        if self.passes:
            self.passes -= 1
            return True
        self.refused = self.pace.refused
        return False

    def begins(self) -> None:
        """Called after a pass that was not silent: if it was refused, the next ones are silent."""
        if self.pace.refused != self.refused:
            self.passes = self.length = min(2 * self.length + 1, MAX_SILENCE)


class Pace:
    """The pace of one code object; `with COMPILING, pace:` measures the time to compile it."""

    __slots__ = ("begun", "budget", "cost", "fruitless", "on_wait", "refused", "spending", "waits")

    def __init__(self, budget: Budget, size: int) -> None:
        self.budget = budget
        self.spending = budget.spending()
        self.cost = cost_of(size)
        self.begun = 0.0
        self.fruitless = 0
        self.refused = 0
        self.waits = False
        self.on_wait: Callable[[], None] | None = None

    def is_free(self) -> bool:
        """Whether no thread compiles and no built-in is patched now."""
        return not (COMPILING.locked() or has_patched_builtins())

    def affords(self) -> bool:
        """Whether the budget has room for another version."""
        allowed = self.budget.allows(self.cost)
        self.refused += not allowed
        return allowed

    def wait(self) -> None:
        """Note that the budget has no room; the sampler has to find the code warm again."""
        self.waits = True
        if self.on_wait is not None:
            self.on_wait()

    def gives_up(self, fruitful: bool) -> bool:
        """Count a version, `fruitful` if it has a region: whether to stop after several without."""
        self.fruitless = 0 if fruitful else self.fruitless + 1
        return self.fruitless >= MAX_FRUITLESS and not self.budget.unlimited

    def __enter__(self) -> None:
        self.begun = thread_time()
        self.spending.__enter__()

    def __exit__(self, *exception: object) -> None:
        self.spending.__exit__()
        self.cost = thread_time() - self.begun
