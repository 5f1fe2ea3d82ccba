"""Compares results with a saved run: which cases became slower than a limit allows.

It compares ratios to eager in the same run, not times, so a slower day of the machine does not
count. A case below the limit is measured again, with more pairs, and judged by the median of all
its pairs. Invariant: a case whose bits differ, or that raises, has regressed whatever its speed.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from bench.result import Result
from bench.store import Saved
from bench.table import line, times

ATTEMPTS = 2  # further measurements of a suspected regression
Again = Callable[[Result], Result]


@dataclass(frozen=True)
class Change:
    """One case then and now; `before` is NaN for a case that was not saved."""

    case: str
    before: float
    now: float
    verdict: str
    regressed: bool = False

    @property
    def change(self) -> float:
        """The relative change of the ratio; negative is slower."""
        return self.now / self.before - 1.0


def changes(
    results: Iterable[Result], saved: Mapping[str, Saved], allowed: float, again: Again
) -> list[Change]:
    """A change for each result that was measured or differs.

    allowed  the loss that is still no regression: 0.1 lets the ratio fall to nine tenths
    again    measures a case once more, for suspected regressions
    """
    return [
        _change(result, saved.get(result.case), allowed, again)
        for result in results
        if result.pairs.first or result.differences
    ]


def _change(result: Result, saved: Saved | None, allowed: float, again: Again) -> Change:
    before = math.nan if saved is None else saved.ratio
    if result.differences:
        return Change(result.case, before, result.ratio, "DIFFERS", regressed=True)
    if saved is None:
        return Change(result.case, before, result.ratio, "new")
    attempts = 0
    while result.ratio < before * (1.0 - allowed):
        if attempts == ATTEMPTS:
            return Change(result.case, before, result.ratio, "REGRESSION", regressed=True)
        result.add(again(result))
        attempts += 1
    measured = f"as good, measured {attempts + 1} times" if attempts else "as good"
    verdict = "faster" if result.ratio > before * (1.0 + allowed) else measured
    return Change(result.case, before, result.ratio, verdict)


WIDTHS = (-32, 8, 8, 9, -12)


def comparison(found: Sequence[Change], saved: Mapping[str, Saved], allowed: float) -> str:
    """The table of changes, with counts of regressions and of saved cases that were not run."""
    return "\n".join(_lines(found, saved, allowed))


def _lines(found: Sequence[Change], saved: Mapping[str, Saved], allowed: float) -> Iterator[str]:
    yield line(("case", "before", "now", "change", "verdict"), WIDTHS)
    for each in found:
        moved = "-" if math.isnan(each.change) else f"{100 * each.change:+.1f} %"
        yield line((each.case, times(each.before), times(each.now), moved, each.verdict), WIDTHS)
    count = sum(each.regressed for each in found)
    yield f"{count} of {len(found)} cases regressed (limit {100 * allowed:g} % of the ratio)"
    left = set(saved) - {each.case for each in found}
    if left:
        yield f"{len(left)} saved cases were not run"


def mismatches(saved: Mapping[str, Saved], metadata: Mapping[str, object]) -> list[str]:
    """One line for each difference of the two runs' set-up (processor, versions, threads)."""
    then = next(iter(saved.values())).metadata
    return [
        f"{name.removeprefix('dyntrace_')} was {then[name]}, is {metadata[name]}"
        for name in DECISIVE
        if name in then and name in metadata and then[name] != metadata[name]
    ]


DECISIVE = (
    "cpu_model_name",
    "python_version",
    "dyntrace_numpy",
    "dyntrace_allocator",
    "dyntrace_native",
    "dyntrace_backend",
    "dyntrace_threads",
)
