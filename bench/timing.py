"""Timing two functions in interleaved pairs, and the statistics of it.

pyperf provides the clock, the format of saved results and their analysis (`bench.store`), but not
the measuring. Its Runner measures one benchmark after another, each in worker processes, and
between two such moments machines drift by more than the differences of interest. Here each value of
one function has a partner of the other, taken milliseconds apart in one process. The ratio is the
median over these pairs; which function goes first alternates.
"""

from __future__ import annotations

import gc
import itertools
import sys
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from statistics import median, quantiles
from typing import Any

import numpy as np
from pyperf import perf_counter

from bench.workload import Arguments, Case, memory_of

PREPARED = 32 << 20  # bytes of arguments to copy in advance for a function that mutates them
MOST_PREPARED = 2_000  # the most calls to copy arguments for in advance


@dataclass(frozen=True)
class Effort:
    """How much time a case may take.

    seconds   for all its pairs
    sample    the least duration of one value, in seconds; short calls are looped to reach it
    fewest    pairs that are timed however long they take
    most      pairs after which the rest of the time is not used
    """

    seconds: float = 2.0
    sample: float = 0.01
    fewest: int = 5
    most: int = 41

    def times(self, factor: float) -> Effort:
        return Effort(self.seconds * factor, self.sample, self.fewest * 2, int(self.most * factor))


QUICK = Effort(seconds=0.2, sample=0.002, fewest=3, most=15)


@dataclass
class Pairs:
    """Seconds per call of two functions, value by value, and how many calls one value averages."""

    first: list[float] = field(default_factory=list)
    second: list[float] = field(default_factory=list)
    loops: int = 1

    def ratios(self) -> list[float]:
        return [one / other for one, other in zip(self.first, self.second, strict=True)]

    def __add__(self, other: Pairs) -> Pairs:
        return Pairs(self.first + other.first, self.second + other.second, self.loops)


ROUNDS = 4  # of warming up: kinds of loops are compiled one after the other


def middle(values: Sequence[float]) -> float:
    """The median, NaN of nothing."""
    return median(values) if values else float("nan")


def quartiles(values: Sequence[float]) -> tuple[float, float]:
    """The first and the third quartile."""
    if len(values) < 2:
        return middle(values), middle(values)
    low, _, high = quantiles(values, n=4, method="inclusive")
    return low, high


def timed(function: Callable[..., Any], calls: Iterable[Arguments]) -> float:
    """Seconds for calling `function` once with each of `calls`; results are dropped at once."""
    start = perf_counter()
    for arguments in calls:
        function(*arguments)
    return perf_counter() - start


class Supply:
    """Arguments for any number of calls, new ones for each call if the function mutates them."""

    def __init__(self, case: Case) -> None:
        self._mutates = case.workload.mutates
        self._arguments = case.arguments()

    def most(self) -> int:
        """How many calls one value may average."""
        if not self._mutates:
            return 1 << 30
        return min(MOST_PREPARED, max(1, PREPARED // max(memory_of(self._arguments), 1)))

    def calls(self, count: int) -> Iterable[Arguments]:
        if not self._mutates:
            return itertools.repeat(self._arguments, count)
        return [copied(self._arguments) for _ in range(count)]


def copied(arguments: Arguments) -> Arguments:
    """Arguments with copies of their arrays, in the same layout."""
    return tuple(
        item.copy(order="K") if isinstance(item, np.ndarray) else item for item in arguments
    )


def calibrated(function: Callable[..., Any], supply: Supply, sample: float) -> tuple[int, float]:
    """The number of calls that take `sample` seconds, found by doubling; and their time."""
    loops, most = 1, supply.most()
    while True:
        seconds = timed(function, supply.calls(loops))
        if seconds >= sample or 2 * loops > most:
            return loops, seconds
        loops *= 2


def warm(function: Callable[..., Any], supply: Supply, seconds: float, calls: int = 4) -> None:
    """Call until dyntrace has no more to decide: versions, comparisons, plans, hot loops.

    Loops are compiled beside the program; each round waits until those that are hot are done.
    """
    for _ in range(ROUNDS):
        spent, left = 0.0, calls
        while left > 0 or spent < seconds:
            spent += timed(function, supply.calls(1))
            left -= 1
        compiler = sys.modules.get("dyntrace.exec.kernels.background")
        if compiler is not None:
            compiler.wait_until_idle()


def timed_pairs(
    first: Callable[..., Any], second: Callable[..., Any], case: Case, effort: Effort
) -> Pairs:
    """Warm up both functions, then time them in interleaved pairs on the case's arguments."""
    supply = Supply(case)
    for function in (first, second):
        warm(function, supply, effort.seconds / 20)
    loops, seconds = calibrated(first, supply, effort.sample)
    other = timed(second, supply.calls(loops))
    count = int(effort.seconds / (seconds + other))
    return _pairs(first, second, supply, loops, min(max(count, effort.fewest), effort.most))


def _pairs(
    first: Callable[..., Any], second: Callable[..., Any], supply: Supply, loops: int, count: int
) -> Pairs:
    pairs = Pairs(loops=loops)
    sides = [(first, pairs.first), (second, pairs.second)]
    collecting = gc.isenabled()
    gc.collect()
    gc.disable()
    try:
        for number in range(count):
            for function, values in sides if number % 2 else reversed(sides):
                values.append(timed(function, supply.calls(loops)) / loops)
    finally:
        if collecting:
            gc.enable()
    return pairs
