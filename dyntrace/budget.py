"""Budget: how much time analysis and compilation may take of a program's run.

`programs` and `functions.pacing` ask `Budget.allows` before they analyse, and postpone the work if
the answer is no. Invariant: both sides, what is spent and how long the program has run, are
processor time, so other load on the machine changes nothing.
"""

from __future__ import annotations

from _thread import get_ident
from time import perf_counter, process_time, thread_time

__all__ = ["UNLIMITED", "Budget", "cost_of"]

GRANT = 0.05  # seconds that may be spent at once, on top of SHARE
SHARE = 0.03  # of the run so far
EARLY = 0.04  # of the run so far: the cap while the run is too short to have earned GRANT
COST = 8e-6  # seconds a byte of bytecode takes to compile for the first time, measured


def cost_of(size: int) -> float:
    """Seconds that compiling `size` bytes of code for the first time is expected to take."""
    return COST * size


class Budget:
    """Seconds that may be spent: min(GRANT + SHARE * run, EARLY * run), `run` in seconds so far.

    An unlimited budget allows anything, and still counts what is spent.
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
        """Seconds of the run so far, without those spent waiting for input or for a CPU."""
        return min(perf_counter() - self.started, process_time() - self.worked)

    def spending(self) -> Spending:
        """A context that adds the processor time of its block; nested ones count once."""
        return Spending(self)


class Spending:
    """Measures what one thread spends in a block."""

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
