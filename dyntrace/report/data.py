"""`Explanation`, what `explain` returns, and the records it consists of.

Invariant: it adds only ways to print to `report.records.Findings`. Read `report.text` and
`report.html` for the wording.
"""

from __future__ import annotations

from dataclasses import dataclass
from os import PathLike
from pathlib import Path

from dyntrace.report.html import fragment, page
from dyntrace.report.records import BreakReport, Findings, GraphReport, Stats
from dyntrace.report.text import findings_text

__all__ = ["BreakReport", "Explanation", "GraphReport", "Stats"]


@dataclass(slots=True)
class Explanation(Findings):
    """The findings on one function; `str()` and notebooks print them."""

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
