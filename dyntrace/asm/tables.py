"""Encoders of `co_linetable` and `co_exceptiontable`.

CPython documents the formats in Objects/locations.md and Objects/exception_handling_notes.txt; 3.11
to 3.13 share them. Invariant: decoding the result (`co_positions`, `asm.decode`) gives back the
locations and ranges that were encoded. Read `assemble`, the caller, next.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache

from dyntrace.asm.instructions import Location

__all__ = ["encode_exceptions", "encode_locations"]

NO_LOCATION, LONG_FORM, NO_COLUMNS, ONE_LINE = 15, 14, 13, 10
LONGEST = 8


def encode_locations(runs: Iterable[tuple[Location, int]], first_line: int) -> bytes:
    """The line table for consecutive runs of (location, length in code units)."""
    entries: list[bytes] = []
    last = first_line
    for location, length in runs:
        line = location[0]
        delta = 0 if line is None else line - last
        while length > LONGEST:
            entries.append(_location_entry(location, LONGEST - 1, delta))
            length -= LONGEST
            delta = 0
        if length:
            entries.append(_location_entry(location, length - 1, delta))
            last = last if line is None else line
    return b"".join(entries)


@lru_cache(maxsize=1 << 14)  # the versions of a function share nearly all entries
def _location_entry(location: Location, size: int, delta: int) -> bytes:
    """One entry of `size` + 1 code units, whose line is the previous entry's plus `delta`."""
    line, end_line, column, end_column = location
    table = bytearray()
    if line is None:
        table.append(0x80 | NO_LOCATION << 3 | size)
    elif column is None or end_column is None or end_line is None:
        if end_line is not None and end_line != line:
            _encode_long(table, location, size, delta)
        else:
            table.append(0x80 | NO_COLUMNS << 3 | size)
            _signed(table, delta)
    elif end_line == line and delta == 0 and column < 80 and 0 <= end_column - column < 16:
        table.append(0x80 | (column >> 3) << 3 | size)
        table.append((column & 7) << 4 | end_column - column)
    elif end_line == line and 0 <= delta < 3 and column < 128 and end_column < 128:
        table += bytes((0x80 | (ONE_LINE + delta) << 3 | size, column, end_column))
    else:
        _encode_long(table, location, size, delta)
    return bytes(table)


def _encode_long(table: bytearray, location: Location, size: int, delta: int) -> None:
    line, end_line, column, end_column = location
    table.append(0x80 | LONG_FORM << 3 | size)
    _signed(table, delta)
    _unsigned(table, (end_line or 0) - (line or 0))
    _unsigned(table, 0 if column is None else column + 1)
    _unsigned(table, 0 if end_column is None else end_column + 1)


def _unsigned(table: bytearray, value: int) -> None:
    """A varint: six bits per byte, least significant first; 0x40 marks all bytes but the last."""
    while value >= 64:
        table.append(0x40 | value & 63)
        value >>= 6
    table.append(value)


def _signed(table: bytearray, value: int) -> None:
    """A signed varint: the sign is the lowest bit."""
    _unsigned(table, value << 1 if value >= 0 else -value << 1 | 1)


def encode_exceptions(entries: Iterable[tuple[int, int, int, int, bool]]) -> bytes:
    """The exception table of sorted entries (start, end, handler, depth, lasti).

    `start`, `end` and `handler` count code units.
    """
    table = bytearray()
    for start, end, handler, depth, lasti in entries:
        first = len(table)
        for value in (start, end - start, handler, depth << 1 | lasti):
            _big_endian(table, value)
        table[first] |= 0x80
    return bytes(table)


def _big_endian(table: bytearray, value: int) -> None:
    """Six bits per byte, most significant first; 0x40 marks all bytes but the last."""
    shift = 6 * max(0, (value.bit_length() - 1) // 6)
    while shift:
        table.append(0x40 | value >> shift & 63)
        shift -= 6
    table.append(value & 63)
