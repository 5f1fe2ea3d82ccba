"""Whether something lost: what `--goals` ends with 1 for.

A case that looks as if it had lost is measured again, with more pairs, before it is said; the
verdict is on the median of all its pairs. Invariant: nothing but measured ratios is judged here;
differing results are a failure whether goals are asked for or not.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from bench.programs.measure import ProgramResult
from bench.programs.program import LEAST_MEAN
from bench.programs.table import mean
from bench.result import Result

ATTEMPTS = 2  # further measurements of what seems to lose
Again = Callable[[Result], Result]


def confirm(results: Sequence[Result], again: Again) -> None:
    """Measure what seems to lose again, into its pairs, until it does not or attempts are over."""
    for result in results:
        attempts = 0
        while result.lost and not result.differences and attempts < ATTEMPTS:
            result.add(again(result))
            attempts += 1


def failures(results: Sequence[Result]) -> list[str]:
    """What lost, a line each; empty if nothing did."""
    found = [
        f"{result.case}: {result.ratio:.2f} of plain Python's speed"
        for result in results
        if result.lost
    ]
    average = mean([each for each in results if isinstance(each, ProgramResult)])
    if average < LEAST_MEAN:
        found.append(f"scripts: {average:.3f} in the geometric mean, at least {LEAST_MEAN}")
    return found
