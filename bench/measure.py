"""Everything about one case: bits, first call, time, share, memory, peers.

Invariant: results are compared before anything is timed, and again afterwards with the function
that was timed; a function that raises is reported and not timed.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from pyperf import perf_counter

import dyntrace
from bench.bits import differences
from bench.captured import captured_share
from bench.memory import NoPeak, peaks
from bench.peers.child import PATIENCE, measure_in_child
from bench.result import PeerResult, Result
from bench.timing import Effort, middle, timed_pairs
from bench.workload import Case

CALLS = 4  # calls compared before timing: the recording call, and calls of the versions it led to
FIRST_CALLS = 3


@dataclass(frozen=True)
class Scope:
    """What is measured of each case.

    memory    whether child processes are started for peak memory
    peers     names of other tools that are measured too
    patience  seconds that each of them may take
    pages     the allocator's state, "pinned" or "default"
    optimise  makes the optimised function out of a fresh one
    backend   the name of its backend, for children that time it against peers
    rivals    names of tools that are measured on cases with a goal against them
    """

    effort: Effort = field(default_factory=Effort)
    memory: bool = True
    peers: Sequence[str] = ()
    patience: float = PATIENCE
    pages: str = "default"
    optimise: Callable[[Any], Any] = dyntrace.optimize
    backend: str = "numpy"
    rivals: Sequence[str] = ()

    def peers_of(self, case: Case) -> list[str]:
        """The tools to measure on this case."""
        wanted = (name for name in case.against if name in self.rivals)
        return list(dict.fromkeys([*self.peers, *wanted]))


def measure(case: Case, plan: Scope) -> Result:
    """One row of the table."""
    result = unmeasured(case)
    eager = case.workload.fresh()
    optimised = plan.optimise(case.workload.fresh())
    try:
        result.differences = compared(eager, optimised, case, CALLS)
        result.first_call = first_call(case, plan)
        time_both(eager, optimised, case, plan, result)
        share = captured_share(case.workload, optimised, case.arguments())
        result.captured, result.breaks = share
    except Exception as error:  # a workload may fail in any way; the others still run
        result.differences.append(f"raised {type(error).__name__}: {error}")
        return result
    if plan.memory:
        measure_peaks(case, result)
    result.peers = [measure_peer(peer, case, plan) for peer in plan.peers_of(case)]
    return result


def unmeasured(case: Case) -> Result:
    return Result(case.name, case.workload.family, case.goal, case.has_goal, against=case.against)


def measure_peer(peer: str, case: Case, plan: Scope) -> PeerResult:
    return measure_in_child(
        peer, case, plan.effort, plan.pages, plan.patience, backend=plan.backend
    )


def measure_peaks(case: Case, result: Result) -> None:
    """Peak memory, or a note why there is none."""
    try:
        result.peaks = peaks(case)
    except NoPeak as error:
        result.notes.append(f"no peak memory: {error}")


def time_both(eager: Any, optimised: Any, case: Case, plan: Scope, result: Result) -> None:
    """Time interleaved pairs, compare the bits once more, and count deopts meanwhile."""
    before = counters(optimised)
    result.pairs = timed_pairs(eager, optimised, case, plan.effort)
    result.differences += compared(eager, optimised, case, 1)
    after = counters(optimised)
    if before is not None and after is not None:
        result.deopts = after.deopts + after.misses - before.deopts - before.misses
        result.retired = after.retired


def counters(optimised: Any) -> Any:
    """dyntrace's counters, None for a function it did not make."""
    try:
        return dyntrace.stats(optimised)
    except TypeError:
        return None


def compared(eager: Any, optimised: Any, case: Case, calls: int) -> list[str]:
    """The differences of `calls` optimised calls from the eager one, mutated arguments included."""
    expected_arguments = case.arguments()
    expected = eager(*expected_arguments)
    found: list[str] = []
    for number in range(1, calls + 1):
        arguments = case.arguments()
        actual = optimised(*arguments)
        unequal = differences(expected, actual)
        unequal += differences(expected_arguments, arguments, "arguments")
        found += [f"call {number}: {line}" for line in unequal]
    return found


def first_call(case: Case, plan: Scope) -> float:
    """Median seconds of `optimize` and the first call above a first eager call."""
    over = []
    for _ in range(FIRST_CALLS):
        plain, original = case.workload.fresh(), case.workload.fresh()
        eager = seconds(plain, case)
        start = perf_counter()
        optimised = plan.optimise(original)
        wrapping = perf_counter() - start
        over.append(wrapping + seconds(optimised, case) - eager)
    return middle(over)


def seconds(function: Callable[..., Any], case: Case) -> float:
    """Seconds of one call, without making its arguments and dropping its result."""
    arguments = case.arguments()
    start = perf_counter()
    result = function(*arguments)
    spent = perf_counter() - start
    del result
    return spent


def measure_again(case: Case, plan: Scope) -> Result:
    """Measure only the ratio, with more pairs, of a case that looks like a regression."""
    result = unmeasured(case)
    eager, optimised = case.workload.fresh(), plan.optimise(case.workload.fresh())
    result.pairs = timed_pairs(eager, optimised, case, plan.effort.times(2.0))
    return result
