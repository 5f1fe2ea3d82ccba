"""What a child process tells: one JSON line when a test starts, one when it has ended.

Invariant: each line is written at once, so what is in the file when a process dies is what was
known. A test that started and never ended is the one that killed it.
"""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path


@dataclass(frozen=True)
class Outcome:
    """How one test ended: `kind` is pass, fail, error, skip, xfail, xpass, crash, hang or missing.

    error     the exception's type, for a failure or an error
    text      the whole traceback, or what the process printed last
    internal  how many errors of dyntrace's own happened during the test
    """

    kind: str
    error: str = ""
    text: str = ""
    internal: int = 0

    def __str__(self) -> str:
        return f"{self.kind} ({self.error})" if self.error else self.kind

    def ends_like(self, other: Outcome) -> bool:
        """Whether a test that ends this way and one that ends that way ended the same."""
        return (self.kind, self.error) == (other.kind, other.error)


class Writer:
    """Writes the lines of one process, and makes the names of its tests unique."""

    def __init__(self, path: str) -> None:
        self._file = open(path, "a", buffering=1, encoding="utf-8")  # noqa: SIM115
        self._names: Counter[str] = Counter()

    def unique(self, name: str) -> str:
        """`name`, with a number from its second use on."""
        self._names[name] += 1
        return name if self._names[name] == 1 else f"{name} #{self._names[name]}"

    def started(self, test: str) -> None:
        self._line(started=test)

    def ended(self, test: str, outcome: Outcome) -> None:
        self._line(ended=test, outcome=vars(outcome))

    def finished(self, functions: int, graphs: int) -> None:
        self._line(finished=True, functions=functions, graphs=graphs)

    def close(self) -> None:
        self._file.close()

    def _line(self, **facts: object) -> None:
        self._file.write(json.dumps(facts) + "\n")


@dataclass
class Told:
    """What one process has told: outcomes by test, the test it was in, whether it came to its end.

    functions  how many functions were traced, and `graphs` how many graphs were captured in them
    """

    outcomes: dict[str, Outcome] = field(default_factory=dict)
    running: str | None = None
    finished: bool = False
    functions: int = 0
    graphs: int = 0


def read(path: Path) -> Told:
    """The lines of `path`; a last one that was cut off is left out."""
    told = Told()
    text = path.read_text(encoding="utf-8") if path.exists() else ""
    for line in text.splitlines(keepends=True):
        if not line.endswith("\n"):
            continue
        facts = json.loads(line)
        if "started" in facts:
            told.running = facts["started"]
        elif "ended" in facts:
            told.outcomes[facts["ended"]] = Outcome(**facts["outcome"])
            told.running = None
        else:
            told.finished = True
            told.functions, told.graphs = facts["functions"], facts["graphs"]
    return told
