"""Debugging: the stages of the work, told to stderr as they happen, with the user's line.

`DYNTRACE_DEBUG=trace,weave,program,plan,retire` (any of them) turns stages on, see
`docs/debugging.md`. Invariant: without it nothing is formatted. What is told goes to the file
descriptor of stderr, so that a program that has replaced `sys.stderr` sees nothing of it.
"""

from __future__ import annotations

import os

from dyntrace import config

__all__ = ["tell", "wanted"]

STDERR = 2


def wanted(stage: str) -> bool:
    """Whether `stage` is to be told."""
    return stage in config.debug


def tell(stage: str, filename: str, lineno: int, text: str) -> None:
    """Write `text` behind the stage and the place; lines after the first are indented."""
    folder = os.path.join(os.getcwd(), "")
    head, *rest = text.rstrip("\n").split("\n")
    lines = [f"dyntrace {stage}: {filename.removeprefix(folder)}:{lineno}: {head}"]
    lines += [f"    {line}" for line in rest]
    os.write(STDERR, ("\n".join(lines) + "\n").encode(errors="backslashreplace"))
