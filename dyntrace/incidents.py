"""Incidents: counts every internal error of dyntrace, and reports each kind once.

Code that catches an internal error calls `note`; then the program goes on with its original code.
Invariant: `note` never raises, even if the error's `__str__`, a warnings filter or `sys.stderr`
fails. Under `DYNTRACE_STRICT=1` it raises InternalError, and the process ends with exit code 70.
`runtime.failures` decides which errors are dyntrace's own.
"""

from __future__ import annotations

import atexit
import os
import sys
import threading
import weakref
from types import FrameType, TracebackType
from typing import Any
from warnings import warn

import numpy as np

from dyntrace import config
from dyntrace.errors import DyntraceWarning, InternalError

__all__ = ["EXIT_CODE", "Incidents", "count", "lines_of", "note", "summary"]

EXIT_CODE = 70  # EX_SOFTWARE of sysexits.h: the exit code of a strict process that noted an error
WIDTH = 100
OUTERMOST, INNERMOST, OURS = 2, 3, 8  # frames of a traceback that a report shows, of each sort
MAX_LINES = 16  # errors that are kept for each owner
_FOLDER = os.path.dirname(os.path.abspath(__file__)) + os.sep
_ADVICE = (
    "Please report this text with the function's source.",
    "For the whole traceback run with DYNTRACE_STRICT=1 in the environment: the error is raised.",
)


class Incidents:
    """The errors noted in this process: how many, for which owners, and which were reported."""

    def __init__(self) -> None:
        self.count = 0
        self.reported: set[str] = set()
        self.lines: weakref.WeakKeyDictionary[Any, list[str]] = weakref.WeakKeyDictionary()
        self._lock = threading.RLock()

    def add(self, line: str, owner: Any) -> bool:
        """Count an error; returns whether it is the first with this text."""
        with self._lock:
            self.count += 1
            if owner is not None:
                self.lines.setdefault(owner, []).append(line)
                del self.lines[owner][MAX_LINES:]
            first = line not in self.reported
            self.reported.add(line)
            return first


_noted = Incidents()


def note(error: Exception, doing: str, instead: str, owner: Any = None) -> None:
    """Count an internal error; warn if it is the first with this type and text.

    doing    what dyntrace was at, for the report: "while compiling f"
    instead  what the program runs now
    owner    the compiled code, region or graph that the error belongs to

    Raises InternalError in strict mode only.
    """
    line = summary(error)
    first = _noted.add(line, owner)
    if config.strict:
        raise error if isinstance(error, InternalError) else InternalError(line) from error
    if first:
        _tell(report_text(error, doing, instead))


def count() -> int:
    """How many errors were noted in this process."""
    return _noted.count


def lines_of(owner: Any) -> list[str]:
    """A line for each error noted for `owner`."""
    return list(_noted.lines.get(owner, ()))


# Texts --------------------------------------------------------------------------------------------
def summary(error: BaseException) -> str:
    """`ValueError: its text`, on one line."""
    try:
        text = str(error)
    except Exception:  # the error's own class may be broken
        text = "<no text>"
    return " ".join(f"{type(error).__name__}: {text}".split())


def clipped(line: str, width: int = WIDTH) -> str:
    return line if len(line) <= width else line[: width - 1] + "…"


def report_text(error: BaseException, doing: str, instead: str) -> str:
    """What is shown of an error: at most 24 lines of at most 100 columns."""
    lines = [
        f"dyntrace met an internal error {clipped(doing, 60)};",
        f"{instead} instead.",
        summary(error),
    ]
    if error.__cause__ is not None:
        lines.append(f"caused by {summary(error.__cause__)}")
    lines += [f"  {line}" for line in frame_lines((error.__cause__ or error).__traceback__)]
    lines += [f"({_versions()})", *_ADVICE]
    return "\n".join(map(clipped, lines))


def _versions() -> str:
    python = sys.version.partition(" ")[0]
    native = "native module" if config.native else "no native module"
    return (
        f"dyntrace {config.version}, Python {python}, NumPy {np.__version__}, "
        f"{sys.platform}, {native}"
    )


def frame_lines(traceback: TracebackType | None) -> list[str]:
    """The frames worth showing, innermost last: dyntrace's own, the outermost and innermost."""
    frames = []
    while traceback is not None:
        code = traceback.tb_frame.f_code
        frames.append((code.co_filename, traceback.tb_lineno, code.co_name))
        traceback = traceback.tb_next
    ours = [i for i, (filename, _, _) in enumerate(frames) if _is_own(filename)]
    kept = {*range(len(frames))[:OUTERMOST], *ours[-OURS:], *range(len(frames))[-INNERMOST:]}
    lines: list[str] = []
    for index, (filename, lineno, name) in enumerate(frames):
        if index in kept:
            lines.append(f"{_short(filename)}:{lineno} in {name}")
        elif index - 1 in kept:
            lines.append("…")
    return lines


def _short(filename: str) -> str:
    """The path below dyntrace's folder, or the last 60 characters of any other path."""
    if filename.startswith(_FOLDER):
        return "dyntrace/" + filename.removeprefix(_FOLDER).replace(os.sep, "/")
    return filename if len(filename) <= 60 else "…" + filename[-59:]


def _is_own(filename: str) -> bool:
    return filename.startswith((_FOLDER, "<dyntrace"))


# Telling ------------------------------------------------------------------------------------------
def _tell(text: str) -> None:
    """Warn at the user's line; print the text if that raises, and give up if printing raises."""
    try:
        warn(DyntraceWarning(text), stacklevel=2 + _own_frames(sys._getframe(1)))
    except Exception:  # a filter makes it an error, or the program shows warnings its own way
        _print(text)


def _own_frames(frame: FrameType | None) -> int:
    """How many of the innermost frames are dyntrace's, from `frame` outwards."""
    found = 0
    while frame is not None and _is_own(frame.f_code.co_filename):
        frame, found = frame.f_back, found + 1
    return found


def _print(text: str) -> None:
    try:
        sys.stderr.write(text + "\n")
    except Exception:  # it is closed, None, or the program's own: there is nobody to tell
        return


def _fail_at_exit() -> None:
    """End a strict process with EXIT_CODE if it noted anything, whatever the program's own code."""
    if _noted.count:
        _print(f"dyntrace: {_noted.count} internal errors were noted")
        sys.stdout.flush()
        os._exit(EXIT_CODE)


if config.strict:
    atexit.register(_fail_at_exit)
