"""Accounts: where a program's time went, by function and line, in graphs and outside.

Kept only where a report was asked for (`run --stats`, `run --report`, `explain`). A look's time
goes to the innermost frame of the user's files; where there is none, to the innermost of all.
Invariant: nothing of the program's is kept alive: places are names and numbers.
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
    """Seconds by place, and what was decided about each function that was met."""

    def __init__(self) -> None:
        self.seconds: dict[Place, float] = {}
        self.verdicts: dict[Function, bool | None] = {}
        self.candidates = 0

    def note(self, frames: list[tuple[CodeType, int]], seconds: float) -> None:
        """The native sampler's `tally`: a stack, and the time since the last look."""
        frame: tuple[CodeType, int] | None = None
        for frame in frames:
            if is_users(frame[0].co_filename):
                break
            if frame[0].co_filename.startswith(_OURS):
                return  # that is analysis, or what runs the script
        else:
            frame = frames[0] if frames else None
        if frame is not None:
            place = place_of(*frame)
            self.seconds[place] = self.seconds.get(place, 0.0) + seconds

    def judge(self, code: CodeType, verdict: bool | None) -> None:
        """Warm code was taken (True), is nothing for us (False), or waits for the budget (None)."""
        self.verdicts[function_of(code)] = verdict

    def in_graphs(self) -> float:
        """Seconds that ran as graphs."""
        return sum(seconds for place, seconds in self.seconds.items() if place.in_graph)

    def functions(self) -> dict[Function, tuple[float, float]]:
        """Seconds in all, and in graphs, of each function: the busiest first."""
        found: dict[Function, tuple[float, float]] = {}
        for place, seconds in self.seconds.items():
            whole, graphs = found.get(place.function, (0.0, 0.0))
            found[place.function] = whole + seconds, graphs + seconds * place.in_graph
        return dict(sorted(found.items(), key=lambda item: -item[1][0]))

    def uncaptured(self, count: int) -> list[tuple[Place, float]]:
        """The `count` places outside graphs that most time goes to."""
        items = [item for item in self.seconds.items() if not item[0].in_graph]
        return sorted(items, key=lambda item: -item[1])[:count]


def is_users(filename: str) -> bool:
    """Whether a file is the user's own: neither installed, nor Python's, nor ours."""
    if filename.startswith(_OURS) or any(folder in filename for folder in _INSTALLED):
        return False
    return not filename.startswith(_HOME)


def function_of(code: CodeType) -> Function:
    return Function(code.co_filename, code.co_qualname, code.co_firstlineno)


def place_of(code: CodeType, offset: int) -> Place:
    """The line of a byte offset; whether it is part of a region's stub."""
    line = code.co_firstlineno
    for start, end, number in code.co_lines():
        if start <= offset < end:
            line = number or line
            break
    return Place(function_of(code), line, is_in_graph(code, offset))


def is_in_graph(code: CodeType, offset: int) -> bool:
    """Whether a frame that stands there has called a region."""
    compiled: Any = sys.modules.get("dyntrace.weaving.bypasses")  # nothing is woven without it
    known = getattr(compiled, "is_in_stub", None)  # the module may be half imported now
    return known is not None and bool(known(code, offset))
