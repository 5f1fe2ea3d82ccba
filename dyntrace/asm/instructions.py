"""The version-free form of a code object: micro-ops, units and the body that holds them.

A stub can stand before any `Unit` and never inside one. A unit is one real instruction together
with the instructions that CPython requires directly behind it: inline caches, PRECALL and CALL
after KW_NAMES, RESUME after YIELD_VALUE, the resume loop of SEND. Invariant: the units tile
`co_code`, so their bytes in order are the original. Read `decode` next, then `emit` and `assemble`.
"""

from __future__ import annotations

from types import CodeType
from typing import Any, NamedTuple

from dyntrace.record import field, record

__all__ = ["Body", "Location", "MicroOp", "Range", "Unit"]


class Location(NamedTuple):
    """A span of the user's source, with None for what the compiler left out.

    Columns count UTF-8 bytes, as in `co_positions`.
    """

    line: int | None
    end_line: int | None
    column: int | None
    end_column: int | None


@record(frozen=True)
class MicroOp:
    """One step of an instruction, the same on every Python.

    A jump's argument is the index of a unit. A local's argument is its index in localsplus.
    """

    name: str
    arg: Any = None


@record()
class Unit:
    """One piece of the original code that can be emitted again as a whole.

    micro     the unit's steps; empty if the instruction has no effect on frame or program
    target    the unit that the jump's argument names. FOR_ITER of 3.12+ names the END_FOR, which
              it skips; its micro-op names the unit where control resumes
    handler   the exception handler of the unit's first byte, or None
    handlers  the exception handlers of all of the unit's bytes
    """

    index: int
    offset: int
    size: int
    opcode: int
    arg: int
    micro: tuple[MicroOp, ...]
    location: Location
    target: int | None = None
    handler: int | None = None
    handler_depth: int = 0
    handler_lasti: bool = False
    handlers: tuple[int, ...] = ()


class Range(NamedTuple):
    """One exception-table entry, from `start_delta` bytes into unit `start` to the same of `end`.

    CPython's entries may begin or end inside a unit: there the delta is not zero.
    """

    start: int
    start_delta: int
    end: int
    end_delta: int
    handler: int
    depth: int
    lasti: bool


@record()
class Body:
    """A decoded code object.

    ranges       the exception table
    runs         (first code unit, location) wherever the location changes
    jumps        (unit, target unit) of each jump
    local_names  the names of localsplus: `co_varnames`, other cells, free variables
    cells        the indexes in localsplus that hold cells
    """

    code: CodeType
    units: list[Unit]
    ranges: list[Range] = field(default_factory=list)
    runs: list[tuple[int, Location]] = field(default_factory=list)
    jumps: list[tuple[int, int]] = field(default_factory=list)
    local_names: tuple[str, ...] = ()
    cells: frozenset[int] = frozenset()
