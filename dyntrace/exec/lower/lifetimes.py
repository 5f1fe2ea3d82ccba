"""When the values of a program are let go: after the last step that reads them, as in eager code;
and which of them decide shapes.

Invariant: a register is dropped once, after its last use, and never one of the inputs, the
constants or the outputs, which are not the program's alone. Read `exec.lower.lowering` next.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from dyntrace.exec.lower import templates
from dyntrace.exec.lower.instruction_table import CODES, INSTRUCTIONS

VIEW, RESHAPE = INSTRUCTIONS["VIEW"].code, INSTRUCTIONS["RESHAPE"].code
INT = CODES["ITEM"]["INT"]


def drops(steps: tuple[Any, ...], first: int, outputs: Any) -> tuple[tuple[int, ...], ...]:
    """For each step the registers from `first` on that nothing reads any more after it."""
    kept = set(templates.reads((outputs,))) if isinstance(outputs, tuple) else {outputs}
    last: dict[int, int] = {}
    for place, step in enumerate(steps):
        for reg in _touched(step):
            last[reg] = place
    found: list[list[int]] = [[] for _ in steps]
    for reg, place in last.items():
        if reg >= first and reg not in kept:
            found[place].append(reg)
    return tuple(map(tuple, found))


def keys(instructions: list[Any]) -> tuple[int, ...]:
    """The int registers whose values decide shapes: bounds of slices, and lengths.

    An index moves the memory that is looked at, but its value decides no shape.
    """
    found: dict[int, None] = {}
    for code, _, _, extra, _ in instructions:
        if code in (VIEW, RESHAPE):
            deciding = [item for item in extra if code == RESHAPE or item[0] != INT]
            found.update(dict.fromkeys(_in_items(tuple(deciding))))
    return tuple(found)


def _touched(step: tuple[Any, ...]) -> Iterator[int]:
    """The registers that a step reads, or makes as objects."""
    if step[0] == "segment":
        _, inputs, exports, keys, instructions, _, _, nodes = step
        yield from (*inputs, *exports, *keys)
        for code, ins, outs, extra, _ in instructions:
            yield from (*ins, *outs)
            if code in (VIEW, RESHAPE):
                yield from _in_items(extra)
        for node in nodes:
            yield from templates.reads(node[2])
        return
    yield step[1]
    yield from templates.reads(step[3])
    if step[0] == "submit":
        yield step[5][0]
    if step[0] == "commit":
        yield from step[5][:2]


def _in_items(items: tuple[Any, ...]) -> Iterator[int]:
    """The registers of ints in a subscript or a shape."""
    for _, *parts in items:
        yield from (part[0] for part in parts if type(part) is tuple)
