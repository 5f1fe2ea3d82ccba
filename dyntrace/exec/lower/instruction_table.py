"""The instruction table, read from `_native/vm/instructions.def`, which C includes as well.

Invariant: Python repeats no code, no limit and no order of fields. Read `exec.lower.description`
for what the fields mean.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from types import MappingProxyType

__all__ = ["CODES", "FIELDS", "INSTRUCTIONS", "LIMITS", "InstructionRow"]

_PACKAGE = os.path.dirname(os.path.dirname(os.path.dirname(__file__)))
_PATH = os.path.join(_PACKAGE, "_native", "vm", "instructions.def")


class InstructionRow:
    """A row: its code, the least and most registers it reads and writes, its name in dumps."""

    __slots__ = ("code", "inputs", "outputs", "words")

    def __init__(
        self, code: int, inputs: tuple[int, int], outputs: tuple[int, int], words: str
    ) -> None:
        self.code = code
        self.inputs = inputs
        self.outputs = outputs
        self.words = words


def _rows() -> dict[str, dict[str, str]]:
    """The rows of each group, in order: the rest of the row by its name."""
    groups: dict[str, dict[str, str]] = {}
    with open(_PATH, encoding="utf-8") as table:
        rows = [line[:-2].partition("(") for line in table if line[0].isupper()]
    for group, _, row in rows:
        name, _, rest = row.partition(", ")
        groups.setdefault(group, {})[name] = rest
    return groups


def _instruction(code: int, row: str) -> InstructionRow:
    least_in, most_in, least_out, most_out, words = row.split(", ", 5)[:5]
    counts = (int(least_in), int(most_in)), (int(least_out), int(most_out))
    return InstructionRow(code, *counts, words.strip('"'))


def _fields(row: str) -> tuple[str, ...]:
    """The names in `FIELDS(…)`; () for `NO_FIELDS`."""
    names = row.partition("FIELDS(")[2][:-1]
    return tuple(names.split(", ")) if names else ()


_GROUPS = _rows()
FIELDS: Mapping[str, Mapping[str, tuple[str, ...]]] = MappingProxyType(
    {
        **{
            group: MappingProxyType({name: _fields(row) for name, row in _GROUPS[group].items()})
            for group in ("INSTRUCTION", "STEP", "ITEM", "TEMPLATE")
        },
        "RECORD": MappingProxyType(
            {name: tuple(row.split(", ")) for name, row in _GROUPS.pop("RECORD").items()}
        ),
    }
)
INSTRUCTIONS: Mapping[str, InstructionRow] = MappingProxyType(
    {
        name: _instruction(code, row)
        for code, (name, row) in enumerate(_GROUPS.pop("INSTRUCTION").items())
    }
)
LIMITS: Mapping[str, int] = MappingProxyType(
    {name: int(value) for name, value in _GROUPS.pop("LIMIT").items()}
)
CODES: Mapping[str, Mapping[str, int]] = MappingProxyType(
    {
        group: MappingProxyType({name: code for code, name in enumerate(rows)})
        for group, rows in _GROUPS.items()
    }
)
del _GROUPS
