"""Decode a code object into units of micro-ops, on any supported Python.

Invariant: the units tile `co_code` exactly; bytecode that could not be emitted again raises
AssemblyError. Tests compare the result with that of the library `bytecode`; the library itself is
not used, because importing it and building its instruction objects takes longer than all of the
decoding here. Read `asm.versions.table` for what a version table says, `assemble` for the way back.
"""

from __future__ import annotations

import dis
from bisect import bisect_right
from collections.abc import Iterator, Mapping
from itertools import groupby
from types import CodeType, MappingProxyType
from typing import NamedTuple

from dyntrace.asm.bindings import check_loads
from dyntrace.asm.instructions import Body, Location, MicroOp, Range, Unit
from dyntrace.asm.versions import TABLE
from dyntrace.asm.versions.table import Context, Glue, Rule
from dyntrace.errors import AssemblyError

__all__ = ["CACHES", "OPCODES", "decode", "extended_args"]


class Instruction(NamedTuple):
    """One real instruction: from `offset`, its first EXTENDED_ARG's, to `end`, after its caches."""

    offset: int
    opcode: int
    arg: int
    end: int


OPCODES = MappingProxyType({name: dis.opmap[name] for name in TABLE.rules})
RULES: Mapping[int, Rule] = MappingProxyType(
    {OPCODES[name]: rule for name, rule in TABLE.rules.items()}
)
GLUE: Mapping[int, tuple[tuple[tuple[int, ...], Glue], ...]] = MappingProxyType(
    {
        OPCODES[first]: tuple((tuple(OPCODES[f] for f in g.followers), g) for g in alternatives)
        for first, alternatives in TABLE.glue.items()
    }
)
NEVER_ALONE = frozenset(OPCODES[name] for name in TABLE.never_alone)
PROLOGUE = frozenset(OPCODES[name] for name in TABLE.prologue)
BACKWARD = frozenset(OPCODES[name] for name in TABLE.backward)
RESUME = OPCODES["RESUME"]
END_FOR = OPCODES.get("END_FOR")
EXTENDED_ARG = OPCODES["EXTENDED_ARG"]


JUMPS = frozenset(OPCODES.values()).intersection(dis.hasjrel)
CACHES: Mapping[int, int] = MappingProxyType(
    {opcode: TABLE.caches.get(name, 0) for name, opcode in OPCODES.items()}
)
_CHECKED = OPCODES["LOAD_FAST" if TABLE.checked_loads else "LOAD_FAST_CHECK"]
_WIDTH = tuple([2 + 2 * CACHES.get(op, 0) for op in range(256)])


def decode(code: CodeType) -> Body:
    """The body of a code object; AssemblyError if some of it could not be emitted again."""
    cells = _cells(code)
    body = Body(code, [], local_names=_local_names(code), cells=cells)
    body.runs = _location_runs(code)
    body.units = _units(Context(code, cells), _instructions(code.co_code), body.runs)
    indexes = {unit.offset: unit.index for unit in body.units}
    body.jumps = _resolve_jumps(code.co_code, body.units, indexes)
    _read_exception_table(body, indexes)
    return check_loads(body) if _CHECKED in code.co_code[::2] else body


def _local_names(code: CodeType) -> tuple[str, ...]:
    own = set(code.co_varnames)
    cells = tuple(name for name in code.co_cellvars if name not in own)
    return code.co_varnames + cells + code.co_freevars


def _cells(code: CodeType) -> frozenset[int]:
    names = _local_names(code)
    boxed = {*code.co_cellvars, *code.co_freevars}
    return frozenset(i for i, name in enumerate(names) if name in boxed)


def _instructions(raw: bytes) -> list[Instruction]:
    found: list[Instruction] = []
    append, width, extended = found.append, _WIDTH, EXTENDED_ARG
    start = offset = prefix = 0
    while offset < len(raw):
        opcode = raw[offset]
        arg = raw[offset + 1] | prefix
        if opcode == extended:
            prefix = arg << 8
            offset += 2
            continue
        offset += width[opcode]
        append(Instruction(start, opcode, arg, offset))
        start = offset
        prefix = 0
    if prefix or offset != len(raw):
        raise AssemblyError("the bytecode ends inside an instruction")
    return found


def _location_runs(code: CodeType) -> list[tuple[int, Location]]:
    runs: list[tuple[int, Location]] = []
    word = 0
    for position, same in groupby(code.co_positions()):
        runs.append((word, Location._make(position)))
        word += len([*same])
    return runs or [(0, Location(None, None, None, None))]


def _units(
    context: Context, instructions: list[Instruction], runs: list[tuple[int, Location]]
) -> list[Unit]:
    units: list[Unit] = []
    known: dict[tuple[int, int], tuple[MicroOp, ...]] = {}
    locations = iter([*runs[1:], (1 << 60, runs[0][1])])
    location, (next_word, next_location) = runs[0][1], next(locations)
    position, count, started = 0, len(instructions), False
    while position < count:
        offset, opcode, arg, end = instructions[position]
        position += 1
        anchor = offset >> 1
        if opcode in GLUE and (glued := _glued(context, instructions, position)):
            micro, length, last = glued
            position += length
            end = instructions[position - 1].end
            anchor = (end >> 1) - 1 if last else anchor
        elif opcode in NEVER_ALONE:
            raise AssemblyError(f"{dis.opname[opcode]} at {offset} stands alone")
        elif not started and opcode in PROLOGUE:
            micro = ()
        else:
            micro = known.get((opcode, arg)) or _micro(context, known, opcode, arg)
        started = started or opcode == RESUME
        while next_word <= anchor:
            location, (next_word, next_location) = next_location, next(locations)
        units.append(Unit(len(units), offset, end - offset, opcode, arg, micro, location))
    return units


def _micro(
    context: Context, known: dict[tuple[int, int], tuple[MicroOp, ...]], opcode: int, arg: int
) -> tuple[MicroOp, ...]:
    if opcode not in RULES:
        raise AssemblyError(f"opcode {dis.opname[opcode]} cannot occur here")
    micro = known[opcode, arg] = RULES[opcode](context, arg)
    return micro


def _glued(
    context: Context, instructions: list[Instruction], position: int
) -> tuple[tuple[MicroOp, ...], int, bool] | None:
    """What the instruction before `position` and its required followers make together.

    Returns the micro-ops, the number of followers, and whether the unit has the last one's
    location (else the first one's); None if no alternative in `GLUE` matches.
    """
    for followers, glue in GLUE[instructions[position - 1].opcode]:
        following = instructions[position : position + len(followers)]
        if tuple(i.opcode for i in following) == followers:
            args = (instructions[position - 1].arg, *(i.arg for i in following))
            return glue.rule(context, args), len(followers), glue.located_last
    return None


def _resolve_jumps(raw: bytes, units: list[Unit], indexes: dict[int, int]) -> list[tuple[int, int]]:
    """Set `target` and the micro-op's argument of each jump; return (unit, target) of each."""
    jumps = []
    for unit in units:
        if unit.opcode in JUMPS:
            unit.target = _unit_at(indexes, _jump_offset(raw, unit))
            unit.micro = _with_target(units, unit.micro, unit.target)
            jumps.append((unit.index, unit.target))
    return jumps


def _jump_offset(raw: bytes, unit: Unit) -> int:
    end = unit.offset + 2 * extended_args(raw, unit.offset) + _WIDTH[unit.opcode]
    return end - 2 * unit.arg if unit.opcode in BACKWARD else end + 2 * unit.arg


def extended_args(raw: bytes, offset: int) -> int:
    """The number of EXTENDED_ARG prefixes of the instruction at `offset`."""
    count = 0
    while raw[offset + 2 * count] == EXTENDED_ARG:
        count += 1
    return count


def _unit_at(indexes: dict[int, int], offset: int) -> int:
    if offset not in indexes:
        raise AssemblyError(f"a jump or range leads into the middle of an instruction, at {offset}")
    return indexes[offset]


def _with_target(units: list[Unit], micro: tuple[MicroOp, ...], target: int) -> tuple[MicroOp, ...]:
    step = micro[-1]
    if step.name == "BREAK":
        return micro
    if step.name == "FOR_ITER" and units[target].opcode == END_FOR:
        target += 1
    arg = target if step.arg is None else (step.arg, target)
    return (*micro[:-1], MicroOp(step.name, arg))


def _read_exception_table(body: Body, indexes: dict[int, int]) -> None:
    """Read the exception table into the body's `ranges` and the units' handlers."""
    if not body.code.co_exceptiontable:
        return
    starts = [unit.offset for unit in body.units]
    numbers = _varints(body.code.co_exceptiontable)
    for first, length, target, depth in zip(numbers, numbers, numbers, numbers, strict=True):
        start, start_delta = _boundary(body, starts, 2 * first)
        end, end_delta = _boundary(body, starts, 2 * (first + length))
        handler = _unit_at(indexes, 2 * target)
        covered = Range(start, start_delta, end, end_delta, handler, depth >> 1, bool(depth & 1))
        body.ranges.append(covered)
        for unit in body.units[start : end + bool(end_delta)]:
            _set_handler(unit, covered)


def _varints(table: bytes) -> Iterator[int]:
    """The numbers in an exception table, four per entry.

    Each byte has six bits of a number, most significant first, and 64 if the number goes on.
    The format is documented in CPython's Objects/exception_handling_notes.txt.
    """
    number = 0
    for byte in table:
        number = number << 6 | byte & 63
        if not byte & 64:
            yield number
            number = 0


def _boundary(body: Body, starts: list[int], offset: int) -> tuple[int, int]:
    """The unit that holds `offset`, and the distance from its start.

    The end of the code counts as the start of a unit behind the last.
    """
    if offset == len(body.code.co_code):
        return len(starts), 0
    index = bisect_right(starts, offset) - 1
    return index, offset - starts[index]


def _set_handler(unit: Unit, covered: Range) -> None:
    if unit.index != covered.start or not covered.start_delta:
        unit.handler, unit.handler_depth = covered.handler, covered.depth
        unit.handler_lasti = covered.lasti
    if covered.handler not in unit.handlers:
        unit.handlers = (*unit.handlers, covered.handler)
