"""Goals: whether a case or program lost, for which `--goals` returns exit status 1.

A case that seems to lose is measured again, with more pairs, and judged by the median of all its
pairs. Invariant: this module judges ratios only; `bench.command` treats differing results as a
failure with and without `--goals`.
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
    """Measure again what seems to lose, up to ATTEMPTS times, and add the pairs to the result."""
    for result in results:
        attempts = 0
        while result.lost and not result.differences and attempts < ATTEMPTS:
            result.add(again(result))
            attempts += 1


def failures(results: Sequence[Result]) -> list[str]:
    """One line for each result that lost."""
    found = [
        f"{result.case}: {result.ratio:.2f} of plain Python's speed"
        for result in results
        if result.lost
    ]
    average = mean([each for each in results if isinstance(each, ProgramResult)])
    if average < LEAST_MEAN:
        found.append(f"scripts: {average:.3f} in the geometric mean, at least {LEAST_MEAN}")
    return found
