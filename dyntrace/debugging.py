"""Debugging: logs the stages of the work to stderr as they happen, with the user's line.

`DYNTRACE_DEBUG=trace,weave` (any of `config.STAGES`) selects the stages; see
`docs/debugging.md`. Callers ask `wanted` first. Invariant: a stage that is off formats nothing. The
log goes to file descriptor 2, so a program that has replaced `sys.stderr` does not see it.
"""

from __future__ import annotations

import os

from dyntrace import config

__all__ = ["tell", "wanted"]

STDERR = 2


def wanted(stage: str) -> bool:
    """Whether `stage` is to be logged."""
    return stage in config.debug


def tell(stage: str, filename: str, lineno: int, text: str) -> None:
    """Write `dyntrace STAGE: FILE:LINE: TEXT`; lines of `text` after the first are indented."""
    folder = os.path.join(os.getcwd(), "")
    head, *rest = text.rstrip("\n").split("\n")
    lines = [f"dyntrace {stage}: {filename.removeprefix(folder)}:{lineno}: {head}"]
    lines += [f"    {line}" for line in rest]
    os.write(STDERR, ("\n".join(lines) + "\n").encode(errors="backslashreplace"))
