"""The table of the programs, as text: both times, wall and processor, and what became of the goal.

Invariant: a program that was not run has a line too, which says why.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from statistics import geometric_mean

from bench.programs.measure import ProgramResult
from bench.programs.program import LEAST_MEAN, MEAN, SHORT
from bench.table import duration, line, times
from bench.timing import middle

HEADINGS = (
    ("program", -28),
    ("plain", 8),
    ("run", 8),
    ("ratio", 6),
    ("quartiles", 11),
    ("over", 9),
    ("plain CPU", 9),
    ("run CPU", 8),
    ("ratio", 6),
    ("goal", 20),
    ("output", 7),
)
WIDTHS = [width for _, width in HEADINGS]


def heading() -> str:
    return line((name for name, _ in HEADINGS), WIDTHS)


def row(result: ProgramResult) -> str:
    """A program's line, and below it how its output differs."""
    if result.missing:
        return f"{result.case:28}  not run: {', '.join(result.missing)} not installed"
    low, high = result.spread
    cells = (
        result.case,
        duration(result.eager),
        duration(result.optimised),
        times(result.ratio),
        f"{times(low)}-{times(high)}",
        duration(result.optimised - result.eager),
        duration(middle(result.cpu.first)),
        duration(middle(result.cpu.second)),
        times(result.cpu_ratio),
        goal_text(result),
        "differ" if result.differences else "equal",
    )
    below = [f"DIFFERS {text}" for text in result.differences] + result.notes
    return "\n".join([line(cells, WIDTHS), *(f"    {text}" for text in below)])


def goal_text(result: ProgramResult) -> str:
    """The least ratio, or the seconds that may be lost where they are more, and the verdict."""
    verdict = "yes" if result.reached else "no"
    share = result.eager * (1.0 / result.goal - 1.0)
    if result.allowed > share:
        return f"{result.goal:.2f} or {duration(result.allowed)} {verdict}"
    return f"{result.goal:.2f} {verdict}"


def mean(results: Sequence[ProgramResult]) -> float:
    """The geometric mean over the scripts, NaN of none."""
    ratios = [each.ratio for each in results if each.kind == "script"]
    ratios = [ratio for ratio in ratios if not math.isnan(ratio)]
    return geometric_mean(ratios) if ratios else math.nan


def summary(results: Sequence[ProgramResult]) -> str:
    """Means and worst of each kind, the goals, and what lost, differed or could not be run."""
    lines = []
    for kind in dict.fromkeys(result.kind for result in results):
        mine = [each for each in results if each.kind == kind]
        lines += kind_lines(f"programs, {kind}s", mine)
        if kind == "script":
            long = [each for each in mine if each.eager >= SHORT]
            lines += kind_lines(f"programs, scripts of {duration(SHORT)} and more", long)
    average = mean(results)
    if not math.isnan(average):
        lines.append(
            f"geometric mean of the scripts: {average:.3f}, aimed at {MEAN}: "
            f"{'reached' if average >= MEAN else 'not reached'}, least {LEAST_MEAN}"
        )
    lines.append(f"programs that lose: {names(each for each in results if each.lost)}")
    lines.append(f"outputs differ: {names(each for each in results if each.differences)}")
    lines.append(f"not run: {names(each for each in results if each.missing)}")
    return "\n".join(lines)


def kind_lines(title: str, results: Sequence[ProgramResult]) -> list[str]:
    measured = [each for each in results if not math.isnan(each.ratio)]
    if not measured:
        return []
    worst = min(measured, key=lambda each: each.ratio)
    wall = geometric_mean([each.ratio for each in measured])
    cpu = geometric_mean([each.cpu_ratio for each in measured])
    return [
        f"{title}: {wall:.2f} times plain Python's speed in the geometric mean ({cpu:.2f} by "
        f"processor time), worst {worst.ratio:.2f} ({worst.case}), {len(measured)} programs"
    ]


def names(results: Iterable[ProgramResult]) -> str:
    return ", ".join(each.case for each in results) or "none"
