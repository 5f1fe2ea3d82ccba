"""`Explanation`, the result of `explain`, and the names of the records it consists of.

Invariant: an Explanation is `report.records.Findings` plus ways to print it. `report.text` and
`report.html` have the wording.
"""

from __future__ import annotations

from dataclasses import dataclass
from os import PathLike
from pathlib import Path

from dyntrace.report.html import fragment, page
from dyntrace.report.records import (
    BreakReport,
    Findings,
    GraphReport,
    LoopExit,
    LoopReport,
    Retirement,
    Stats,
    bounded,
)
from dyntrace.report.text import findings_text, summary

__all__ = [
    "BreakReport",
    "Explanation",
    "GraphReport",
    "LoopExit",
    "LoopReport",
    "Retirement",
    "Stats",
]


@dataclass(slots=True, repr=False)
class Explanation(Findings):
    """The findings on one function; `print` and notebooks show them, `repr` sums them up."""

    def __repr__(self) -> str:
        return f"<{bounded(f'Explanation of {summary(self)}', 96)}; print() shows all>"

    def __str__(self) -> str:
        return findings_text(self)

    def to_html(self, path: str | PathLike[str] | None = None) -> str:
        """The explanation as one self-contained HTML page, also written to `path` if given."""
        text = page([self])
        if path is not None:
            Path(path).write_text(text, encoding="utf-8")
        return text

    def _repr_html_(self) -> str:
        return fragment(self)
