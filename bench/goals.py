"""Goals: whether a case or program lost, for which `--goals` returns exit status 1.

A case that seems to lose is measured again, with more pairs, and judged by the median of all its
pairs. A missed goal above that is shown and is no failure. Invariant: this module judges ratios
only; `bench.command` treats differing results as a failure with and without `--goals`.
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


def shortfalls(results: Sequence[Result]) -> list[str]:
    """One line for each goal of its own that a case did not reach, against eager or a peer."""
    found = []
    for result in results:
        if result.has_goal and result.pairs.first and not result.reached:
            found.append(
                f"{result.case}: {result.ratio:.2f} of eager's speed, goal {result.goal:g}"
            )
        found += [
            f"{result.case}: {peer.versus:.2f} of {peer.name}'s speed, "
            f"goal {result.against[peer.name]:g}"
            for peer in result.rivals()
            if not peer.failure and not result.reached_against(peer)
        ]
    return found


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
