"""Pacing: when a code object may be compiled, and whether it is worth another try.

Nobody else compiles, the program's built-ins are in place, and the budget has room for what the
last version took. What has to wait runs the original meanwhile, and `on_wait` is told. Invariant:
without a limit to the budget nothing waits and nothing is given up. Read `functions.compiled_code`.
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
    """Passes in which a recorder says nothing, ever more while the budget refuses its news."""

    __slots__ = ("length", "pace", "passes", "refused")

    def __init__(self, pace: Pace) -> None:
        self.pace = pace
        self.passes = self.length = self.refused = 0

    def lasts(self) -> bool:
        """Whether this pass is silent; one that is not is followed by `begins`."""
        if self.passes:
            self.passes -= 1
            return True
        self.refused = self.pace.refused
        return False

    def begins(self) -> None:
        """A pass is over that was not silent: the next are, if it was refused."""
        if self.pace.refused != self.refused:
            self.passes = self.length = min(2 * self.length + 1, MAX_SILENCE)


class Pace:
    """The pace of one code object. `with COMPILING, pace:` measures what compiling takes."""

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
        """Whether compiling would disturb nobody now."""
        return not (COMPILING.locked() or has_patched_builtins())

    def affords(self) -> bool:
        """Whether the budget has room for another version."""
        allowed = self.budget.allows(self.cost)
        self.refused += not allowed
        return allowed

    def wait(self) -> None:
        """There is no room: the code has to be found warm again."""
        self.waits = True
        if self.on_wait is not None:
            self.on_wait()

    def gives_up(self, fruitful: bool) -> bool:
        """Whether versions without regions have cost enough; `fruitful` if this one has some."""
        self.fruitless = 0 if fruitful else self.fruitless + 1
        return self.fruitless >= MAX_FRUITLESS and not self.budget.unlimited

    def __enter__(self) -> None:
        self.begun = thread_time()
        self.spending.__enter__()

    def __exit__(self, *exception: object) -> None:
        self.spending.__exit__()
        self.cost = thread_time() - self.begun
