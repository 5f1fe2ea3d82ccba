"""Rehearsals: a large elementwise computation runs into a small buffer, to see whether it fails.

Invariant: after `rehearse` returns, the same ufunc call on the same operands raises no flag and no
error. An elementwise result does not depend on its neighbours, and the operands are contiguous, so
tiles run the loops that the whole runs. A rehearsal reads all operands but writes one tile.
`exec.effects.inplace` uses it.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from dyntrace.exec.effects.memory import can_overlap

LARGE = 128 * 1024  # bytes; for smaller targets a temporary and a copy cost no more
_TILE = 64 * 1024


def fit(array: Any, operands: tuple[Any, ...]) -> bool:
    """Whether `rehearse` may take these operands: numbers, and arrays laid out like `array`."""
    if not any(isinstance(value, np.ndarray) for value in operands):
        return False
    c_order = array.flags.c_contiguous
    return (c_order or array.flags.f_contiguous) and all(
        _fits(array, value, c_order) for value in operands
    )


def _fits(array: Any, value: Any, c_order: bool) -> bool:
    if value is array or not isinstance(value, np.ndarray):
        return isinstance(value, (np.ndarray, np.generic, int, float, complex))
    flags = value.flags
    dense = flags.c_contiguous if c_order else flags.f_contiguous
    return value.shape == array.shape and dense and not can_overlap(value, array)


def rehearse(ufunc: np.ufunc, dtype: np.dtype[Any], operands: tuple[Any, ...]) -> None:
    """Raise what `ufunc(*operands, out=...)` raises for an array of `dtype`."""
    length = max(64, _TILE // dtype.itemsize)
    buffer = np.empty(length, dtype)
    flat = [_flat(value) for value in operands]
    size = max(value.size for value in flat if isinstance(value, np.ndarray))
    for start in range(0, size, length):
        part = slice(start, start + length)
        inputs = [value[part] if isinstance(value, np.ndarray) else value for value in flat]
        ufunc(*inputs, out=buffer[: min(length, size - start)])


def _flat(value: Any) -> Any:
    """A view of all items in memory order."""
    return value.ravel(order="K") if isinstance(value, np.ndarray) else value
