"""The differences that are known, with their reasons, read from `known.toml`.

Invariant: each entry has a reason and names the module; what it leaves open (tests, Pythons, ways)
it holds for all of. An entry with `run = false` is about a module that is not run at all.
"""

from __future__ import annotations

import fnmatch
import tomllib
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from tests.conformance.discovery import Module
from tests.conformance.through import WAYS

LIST = Path(__file__).with_name("known.toml")


@dataclass(frozen=True)
class Entry:
    """One known difference. `module` and `tests` are shell patterns."""

    suite: str
    module: str
    reason: str
    tests: tuple[str, ...] = ("*",)
    pythons: tuple[str, ...] = ()
    through: tuple[str, ...] = WAYS
    run: bool = True

    def is_about(self, suite: str, module: str, python: str, through: str) -> bool:
        return (
            suite == self.suite
            and fnmatch.fnmatchcase(module, self.module)
            and (not self.pythons or python in self.pythons)
            and through in self.through
        )

    def names(self, test: str) -> bool:
        return any(fnmatch.fnmatchcase(test, f"*{pattern}") for pattern in self.tests)

    def __str__(self) -> str:
        tests = "" if self.tests == ("*",) else f" {', '.join(self.tests)}"
        return f"{self.module}{tests} ({self.reason})"


def read(path: Path = LIST) -> list[Entry]:
    """The entries of a list; an unknown key or a missing one is a TypeError."""
    with path.open("rb") as file:
        tables = tomllib.load(file)["difference"]
    return [
        Entry(
            **{key: tuple(value) if type(value) is list else value for key, value in table.items()}
        )
        for table in tables
    ]


class KnownDifference:
    """The entries that are about one Python, and which of them have been met."""

    def __init__(self, entries: Iterable[Entry], python: str) -> None:
        self._entries = list(entries)
        self._python = python
        self._looked_at: set[Entry] = set()
        self._met: set[Entry] = set()

    def _about(self, module: Module, through: str) -> list[Entry]:
        return [
            entry
            for entry in self._entries
            if entry.is_about(module.suite, module.name, self._python, through)
        ]

    def not_run(self, module: Module, through: str) -> Entry | None:
        """The entry that says why a module is not run, if there is one."""
        return next((entry for entry in self._about(module, through) if not entry.run), None)

    def look_at(self, module: Module, through: str, tests: Iterable[str]) -> dict[str, Entry]:
        """The entries for those of the differing `tests` that are listed."""
        entries = [entry for entry in self._about(module, through) if entry.run]
        self._looked_at.update(entries)
        found = {}
        for test in tests:
            for entry in entries:
                if entry.names(test):
                    found[test] = entry
                    self._met.add(entry)
        return found

    def gone(self) -> list[Entry]:
        """The entries whose modules have been looked at and differed in none of the tests named."""
        return [entry for entry in self._entries if entry in self._looked_at - self._met]
