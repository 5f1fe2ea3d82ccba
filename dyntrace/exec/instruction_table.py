"""The instruction table, read from `_native/instructions.def`, which C includes as well.

Invariant: no code or limit of the machine is typed a second time in Python. Read `exec.lowering`
for what programs are made of.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import NamedTuple

__all__ = ["CODES", "INSTRUCTIONS", "LIMITS", "InstructionRow"]

_PATH = Path(__file__).parents[1] / "_native" / "instructions.def"
_ROW = re.compile(r"^([A-Z]+)\((\w+)(?:, )?(.*)\)$", re.MULTILINE)


class InstructionRow(NamedTuple):
    """A row: its code, the least and most registers it reads and makes, its name in listings."""

    code: int
    inputs: tuple[int, int]
    outputs: tuple[int, int]
    words: str


def _rows() -> dict[str, dict[str, str]]:
    """The rows of each group, in order: the name with what follows it."""
    groups: dict[str, dict[str, str]] = {}
    for group, name, rest in _ROW.findall(_PATH.read_text(encoding="utf-8")):
        groups.setdefault(group, {})[name] = rest
    return groups


def _instruction(code: int, row: str) -> InstructionRow:
    least_in, most_in, least_out, most_out, words = row.split(", ")
    counts = (int(least_in), int(most_in)), (int(least_out), int(most_out))
    return InstructionRow(code, *counts, words.strip('"'))


_GROUPS = _rows()
INSTRUCTIONS: dict[str, InstructionRow] = {
    name: _instruction(code, row)
    for code, (name, row) in enumerate(_GROUPS.pop("INSTRUCTION").items())
}
LIMITS: dict[str, int] = {name: int(value) for name, value in _GROUPS.pop("LIMIT").items()}
CODES: dict[str, dict[str, int]] = {
    group: {name: code for code, name in enumerate(rows)} for group, rows in _GROUPS.items()
}
