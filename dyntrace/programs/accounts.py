"""Accounts: the time a program spent, by function and line, in graphs and outside.

They are kept only if a report was asked for (`run --stats`, `run --report`, `explain`). Each look
of the sampler charges the time since the last one to the innermost frame of the user's files, or to
the innermost frame of all if there is none. Invariant: accounts hold names and numbers, so they
keep none of the program's objects alive.
"""

from __future__ import annotations

import os
import sys
from types import CodeType
from typing import Any, NamedTuple

__all__ = ["Accounts", "Function", "Place"]

_HOME = (os.path.dirname(os.__file__) + os.sep, "<frozen ")
_INSTALLED = tuple(os.sep + name + os.sep for name in ("site-packages", "dist-packages"))
_OURS = os.path.dirname(os.path.dirname(__file__)) + os.sep


class Function(NamedTuple):
    """A function of the program's, or a module's top level."""

    filename: str
    name: str
    first_line: int


class Place(NamedTuple):
    """A line of a function; `in_graph` if it ran as a graph there."""

    function: Function
    line: int
    in_graph: bool


class Accounts:
    """Seconds by place, and the verdict on each warm function."""

    def __init__(self) -> None:
        self.seconds: dict[Place, float] = {}
        self.verdicts: dict[Function, bool | None] = {}
        self.candidates = 0

    def note(self, frames: list[tuple[CodeType, int]], seconds: float) -> None:
        """Charge `seconds` to one place of a stack; the sampler calls this once for each thread.

        `frames` are (code, byte offset), innermost first. Stacks that end in dyntrace's own
        analysis are not charged.
        """
        frame: tuple[CodeType, int] | None = None
        for frame in frames:
            if is_users(frame[0].co_filename):
                break
            if frame[0].co_filename.startswith(_OURS):
                return  # dyntrace analyses, or is about to run the script
        else:
            frame = frames[0] if frames else None
        if frame is not None:
            place = place_of(*frame)
            self.seconds[place] = self.seconds.get(place, 0.0) + seconds

    def judge(self, code: CodeType, verdict: bool | None) -> None:
        """Note a verdict on warm code: served (True), left alone (False), has to wait (None)."""
        self.verdicts[function_of(code)] = verdict

    def in_graphs(self) -> float:
        """Seconds spent in graphs."""
        return sum(seconds for place, seconds in self.seconds.items() if place.in_graph)

    def functions(self) -> dict[Function, tuple[float, float]]:
        """(Seconds in all, seconds in graphs) of each function, the busiest first."""
        found: dict[Function, tuple[float, float]] = {}
        for place, seconds in self.seconds.items():
            whole, graphs = found.get(place.function, (0.0, 0.0))
            found[place.function] = whole + seconds, graphs + seconds * place.in_graph
        return dict(sorted(found.items(), key=lambda item: -item[1][0]))

    def uncaptured(self, count: int) -> list[tuple[Place, float]]:
        """The `count` places outside graphs that took most time."""
        items = [item for item in self.seconds.items() if not item[0].in_graph]
        return sorted(items, key=lambda item: -item[1])[:count]


def is_users(filename: str) -> bool:
    """Whether a file is the user's: not installed, nor Python's, nor dyntrace's."""
    if filename.startswith(_OURS) or any(folder in filename for folder in _INSTALLED):
        return False
    return not filename.startswith(_HOME)


def function_of(code: CodeType) -> Function:
    return Function(code.co_filename, code.co_qualname, code.co_firstlineno)


def place_of(code: CodeType, offset: int) -> Place:
    """The place of a byte offset: its function and line, and whether it lies in a stub."""
    line = code.co_firstlineno
    for start, end, number in code.co_lines():
        if start <= offset < end:
            line = number or line
            break
    return Place(function_of(code), line, is_in_graph(code, offset))


def is_in_graph(code: CodeType, offset: int) -> bool:
    """Whether a frame at this byte offset is inside the call of a region."""
    bypasses: Any = sys.modules.get("dyntrace.weaving.bypasses")  # nothing is woven without it
    is_in_stub = getattr(bypasses, "is_in_stub", None)  # the module may be half imported now
    return is_in_stub is not None and bool(is_in_stub(code, offset))
