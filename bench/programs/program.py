"""`Program`, one entry of the family: a script, its arguments, and what it may cost to run it.

Invariant: a program depends on its arguments only, so every run prints the same. The pattern
`volatile` removes what does not, such as a test runner's own duration, before outputs are compared.
"""

from __future__ import annotations

import importlib.util
from dataclasses import dataclass
from pathlib import Path

HERE = Path(__file__).parent
FAMILY = "programs"
FLOOR = 0.95  # the least ratio (plain over run) of a script
STRICT_FLOOR = 0.97  # the least ratio of suites and imports, which have nothing to gain
START_UP = 0.040  # seconds that dyntrace may add to a script that ends within `SHORT`
SHORT = 1.0  # seconds
MEAN = 1.05  # the goal for the geometric mean over the scripts
LEAST_MEAN = 0.97  # the geometric mean below which `--goals` fails
DURATION = r" in \d+\.\d+s( \(\d+:\d+:\d+\))?"  # in the last line of pytest and unittest


@dataclass(frozen=True)
class Program:
    """One row of the table.

    name       what it is called in the table and by `--filter`
    kind       "script", "suite" or "import"
    file       below the folder of this module
    arguments  its command line at full size, a run of some tenths to a few seconds
    small      its command line for a run that is as short as can be
    needs      modules without which it cannot run
    floor      least speed, of plain Python's
    start_up   seconds it may lose whatever the floor says, if it is short
    volatile   a pattern of what differs from run to run in what it prints
    """

    name: str
    kind: str
    file: str
    arguments: tuple[str, ...] = ()
    small: tuple[str, ...] = ()
    needs: tuple[str, ...] = ()
    floor: float = FLOOR
    start_up: float = START_UP
    volatile: str = ""

    family = FAMILY
    has_goal = True

    @property
    def path(self) -> Path:
        return HERE / self.file

    @property
    def goal(self) -> float:
        return self.floor

    def missing(self) -> list[str]:
        """The needed modules that are not installed."""
        return [name for name in self.needs if not installed(name)]

    def allowed(self, plain: float) -> float:
        """Seconds by which a run may be longer than a plain one of `plain` seconds."""
        share = plain * (1.0 / self.floor - 1.0)
        return max(share, self.start_up) if plain < SHORT else share


def installed(name: str) -> bool:
    """Whether a module, such as `test.test_heapq`, is there; only its packages are imported."""
    package = name.rpartition(".")[0]
    return (not package or installed(package)) and importlib.util.find_spec(name) is not None
