"""Bit patterns that no arithmetic gives but that arrays may hold, in memory from elsewhere.

Invariant: `patterns(shape, dtype, start)` makes the same bits each time: bools whose bytes are not
0 or 1, NaNs with payloads, signalling NaNs, long doubles that are not canonical (with bytes between
the items), subnormals, signed zeros, and the extremes of integers.
"""

from __future__ import annotations

import numpy as np

from tests.machine.operands import odd

_BYTES = (0, 3, 0xF9, 1, 2, 128, 255, 0, 4, 1, 0, 16, 0, 64)
_HALVES = (0x7C01, 0x7E05, 0xFE05, 0xFD00, 0x8000, 0, 0x3C00, 0x7C00, 0xFC00, 1, 0x8001, 0x7BFF)
_SINGLES = (0x7F800001, 0x7FC00123, 0xFFC00321, 0xFF900000, 0x80000000, 0, 0x3F800000, 0x7F800000,
            0xFF800000, 1, 0x80000001, 0xBF800000, 0x7F7FFFFF, 0x4F000000, 0xCF000001)  # fmt: skip
_DOUBLES = (0x7FF0000000000001, 0x7FF8000000000123, 0xFFF8000000000321, 0xFFF2000000000000, 1 << 63,
            0, 0x3FF << 52, 0x7FF << 52, 0xFFF << 52, 1, 1 << 63 | 1, 0xBFF << 52,
            0x7FEFFFFFFFFFFFFF, 0x43E0000000000000, 0xC3E0000000000001)  # fmt: skip
_EXTENDED = ((0x7FFF, 1), (0x7FFF, 3 << 62), (0x7FFF, 3 << 62 | 1), (0x7FFF, 5 << 61), (0, 1 << 63),
             (0x3FFF, 1 << 62), (0x4005, 0), (0x7FFF, 0), (0x8000, 0), (0, 0), (0x3FFF, 1 << 63),
             (0xBFFF, 1 << 63), (0, 1), (0x8000, 5), (0x403E, 1 << 63))  # fmt: skip
_BETWEEN = 0xABCDEFABCDEF << 16  # the bytes of a long double that hold no part of the number


def patterns(shape, dtype, start=0):
    """An array of `shape` that goes through the patterns of its dtype, from place `start` on."""
    dtype = np.dtype(dtype)
    count = int(np.prod(shape, dtype=np.int64))
    if dtype.kind == "c":
        found = np.empty((count, 2), np.dtype(dtype.char.lower()))
        halves = f"V{found.itemsize}"  # moved as memory, so that nothing becomes canonical
        for place in range(2):
            part = patterns((count,), found.dtype, start + 5 * place)
            found.view(halves)[:, place] = part.view(halves)
        return found.reshape(-1).view(dtype).reshape(shape)
    pool = _pool(dtype)
    if pool is None:
        return odd(shape, dtype, start)
    return np.resize(np.roll(pool, -start), count).reshape(shape)


def _pool(dtype):
    if dtype.char == "g":
        if np.finfo(dtype).nmant != 63:
            return None
        words = [[number, _BETWEEN | sign] for sign, number in _EXTENDED]
        return np.array(words, np.uint64).reshape(-1).view(dtype)
    bits = {"?": _BYTES, "e": _HALVES, "f": _SINGLES, "d": _DOUBLES}.get(dtype.char)
    return None if bits is None else np.array(bits, f"u{dtype.itemsize}").view(dtype)
