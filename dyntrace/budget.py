"""Budget: analysis and compilation take a small share of a program's run, and no more.

Invariant: what is spent and what is earned are measured in processor time, so that a busy machine
does not count; what does not fit waits until the program has run for longer.
"""

from __future__ import annotations

from _thread import get_ident
from time import perf_counter, process_time, thread_time

__all__ = ["UNLIMITED", "Budget", "cost_of"]

GRANT = 0.05  # seconds at once
SHARE = 0.03  # of the run so far
EARLY = 0.04  # of the run so far, and no more: so that a program that ends early has lost little
COST = 8e-6  # seconds that the first version of a code object takes for each byte, about


def cost_of(size: int) -> float:
    """Seconds that compiling `size` bytes of code for the first time is expected to take."""
    return COST * size


class Budget:
    """Seconds that may be spent: `GRANT` and `SHARE` of the run so far, at first `EARLY` of it.

    An unlimited budget allows anything.
    """

    def __init__(self, unlimited: bool = False) -> None:
        self.started = perf_counter()
        self.worked = process_time()
        self.spent = 0.0
        self.unlimited = unlimited
        self.spender = 0  # the thread that measures now

    def allows(self, seconds: float = 0.0) -> bool:
        """Whether `seconds` more may be spent now."""
        if self.unlimited:
            return True
        elapsed = self.elapsed()
        return self.spent + seconds <= min(GRANT + SHARE * elapsed, EARLY * elapsed)

    def elapsed(self) -> float:
        """Seconds of the run so far; those in which it waits, or is kept waiting, do not count."""
        return min(perf_counter() - self.started, process_time() - self.worked)

    def spending(self) -> Spending:
        """A context that measures what is spent inside it; one inside another adds nothing."""
        return Spending(self)


class Spending:
    """What one thread spends in a block."""

    __slots__ = ("begun", "budget", "inside")

    def __init__(self, budget: Budget) -> None:
        self.budget = budget
        self.begun = 0.0
        self.inside = False

    def __enter__(self) -> None:
        thread = get_ident()
        self.inside = self.budget.spender == thread
        self.budget.spender = thread
        self.begun = thread_time()

    def __exit__(self, *exception: object) -> None:
        if not self.inside:
            self.budget.spender = 0
            self.budget.spent += thread_time() - self.begun


UNLIMITED = Budget(unlimited=True)
