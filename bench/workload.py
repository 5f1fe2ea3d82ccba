"""`Workload`, a program and how to run it, and `Case`, a workload at one size.

Invariant: `fresh` returns a function of a new copy of its module each time. Traces belong to the
code object, and peers rebind names in the module, so nobody may share one.
"""

from __future__ import annotations

import importlib.util
import inspect
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import ModuleType
from typing import Any

SCALE = (10, 1_000, 10_000, 100_000, 1_000_000, 10_000_000)
NO_HARM = 0.97  # the least ratio of every case: not slower than eager, within the noise
FOLDER = "bench.workloads."
Arguments = tuple[Any, ...]


@dataclass(frozen=True)
class Workload:
    """A program: a function of a workload file and what is needed to run it.

    make     builds the arguments for a size, equal ones at each call
    sizes    what is run; the size's meaning is the maker's: elements, an edge, or rows
    small    a size at which one run takes a few milliseconds
    scaled   whether the size is a free number of elements, so that `--sizes` can choose it
    mutates  whether the function writes to its arguments and so needs new ones for each call
    goals    eager time over optimised time to reach, by size
    against  a peer's settled time over optimised time to reach at the sizes with a goal, by peer
    """

    name: str
    function: Callable[..., Any]
    make: Callable[[int], Arguments]
    sizes: tuple[int, ...] = SCALE
    small: int = 1_000
    scaled: bool = False
    mutates: bool = False
    goals: Mapping[int, float] = field(default_factory=dict)
    against: Mapping[str, float] = field(default_factory=dict)

    @property
    def family(self) -> str:
        """The name of the file or folder of `bench/workloads/` that it stands in."""
        module = self.function.__module__
        if module.startswith(FOLDER):
            return module.removeprefix(FOLDER).partition(".")[0]
        return module.rpartition(".")[2]

    @property
    def path(self) -> Path:
        return Path(inspect.getfile(self.function))

    def fresh(self) -> Callable[..., Any]:
        """The function from a new copy of its module, as after a new start of Python."""
        function: Callable[..., Any] = getattr(self._module_copy(), self.function.__name__)
        return function

    def _module_copy(self) -> ModuleType:
        spec = importlib.util.spec_from_file_location(self.function.__module__, self.path)
        assert spec is not None and spec.loader is not None
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        return module


def no_harm(workload: Workload) -> Workload:
    """The workload with NO_HARM as its goal at each size."""
    return replace(workload, goals=dict.fromkeys(workload.sizes, NO_HARM))


def against(workload: Workload, eager: float, **peers: float) -> Workload:
    """The workload with these goals at each size: against eager, and against peers by name."""
    return replace(workload, goals=dict.fromkeys(workload.sizes, eager), against=peers)


@dataclass(frozen=True)
class Case:
    """A workload at one size: one row of the table."""

    workload: Workload
    size: int

    @property
    def name(self) -> str:
        return f"{self.workload.name}/{self.size}"

    @property
    def has_goal(self) -> bool:
        return self.size in self.workload.goals

    @property
    def against(self) -> Mapping[str, float]:
        """The ratios to reach against peers, by name; none at a size without a goal."""
        return self.workload.against if self.has_goal else {}

    @property
    def goal(self) -> float:
        """The ratio to reach: the workload's own for this size, or NO_HARM."""
        return self.workload.goals.get(self.size, NO_HARM)

    def arguments(self) -> Arguments:
        return self.workload.make(self.size)


def memory_of(arguments: Arguments) -> int:
    """Bytes of the arrays among the arguments."""
    return sum(getattr(argument, "nbytes", 0) for argument in arguments)


def search_path() -> str:
    """PYTHONPATH for a child process, which then imports what this one does."""
    return ":".join(entry for entry in sys.path if entry)
