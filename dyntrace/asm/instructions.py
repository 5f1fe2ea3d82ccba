"""The version-free form of a code object: micro-ops, units and the body that holds them.

A `Unit` is the smallest piece of bytecode that can be re-emitted and before which a stub can
stand: one real instruction together with what CPython demands to follow it directly (caches,
PRECALL and CALL after KW_NAMES, RESUME after YIELD_VALUE, the resume loop of SEND ...). Invariant:
the units tile `co_code`, so their bytes in order are the original. Read `decode` next, then `emit`
and `assemble`.
"""

from __future__ import annotations

from types import CodeType
from typing import Any, NamedTuple

from dyntrace.record import field, record

__all__ = ["Body", "Location", "MicroOp", "Range", "Unit"]


class Location(NamedTuple):
    """A span of the user's source; None where the compiler gave none. Columns count UTF-8 bytes."""

    line: int | None
    end_line: int | None
    column: int | None
    end_column: int | None


@record(frozen=True)
class MicroOp:
    """One version-free step. Jump arguments are unit indexes; locals are indexes in localsplus."""

    name: str
    arg: Any = None


@record()
class Unit:
    """One re-emittable piece of the original code.

    `micro` is empty for what does nothing that a tracer could see. `target` is the unit a real
    jump names (for FOR_ITER of 3.12+ the END_FOR, while the micro-op names the unit where control
    resumes). `handler` covers the unit's first byte; `handlers` are all that cover any part of it.
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
    """One exception-table entry. A boundary inside a unit has a non-zero byte delta from its
    start.
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
    """A decoded code object. `runs` are (first code unit, location), one where the location
    changes; `jumps` the units that jump, each with its target.
    """

    code: CodeType
    units: list[Unit]
    ranges: list[Range] = field(default_factory=list)
    runs: list[tuple[int, Location]] = field(default_factory=list)
    jumps: list[tuple[int, int]] = field(default_factory=list)
    local_names: tuple[str, ...] = ()
    cells: frozenset[int] = frozenset()
