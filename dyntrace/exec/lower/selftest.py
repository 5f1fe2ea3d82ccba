"""What the bits of NumPy's loops depend on here: this NumPy, on this processor.

The order in which a reduction takes its elements decides bits, and NumPy does not document it. Nor
does it promise that a loop treats the elements after its last full vector like the others. So each
rule that the machine relies on is tested when it is first needed, and a rule that does not hold
here is not used. Invariant: an answer holds for the whole process, since neither NumPy nor the
processor changes. A test takes less than a millisecond, so no answer is written to disk.
`exec.lower.lower_reductions` and `exec.lower.inner_loops` use these tests.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cache
from types import MappingProxyType
from typing import Any

import numpy as np

__all__ = ["adds_in_a_tree", "composes", "depends_on_position", "reduces_in_lines"]

_LEAF = 1024
_add_up: Any = np.add.reduce  # NumPy's annotations reject valid calls


def _numbers(shape: tuple[int, ...], char: str) -> np.ndarray[Any, Any]:
    """Numbers of very different magnitudes, so that the order of addition changes the sum."""
    index = np.arange(int(np.prod(shape)), dtype="d")
    reach = 2 if char == "e" else 11
    values: Any = np.sin(index * 12.9898) * 10.0 ** (index * 7 % reach - reach // 2)
    if char in "FDG":
        values = values + 1j * np.cos(index * 4.1414) * 10.0 ** (index * 5 % reach - reach // 2)
    found: np.ndarray[Any, Any] = values.astype(char).reshape(shape)
    return found


def _same(one: Any, other: Any) -> bool:
    return np.array_equal(one, other, equal_nan=True)


@cache
def adds_in_a_tree(char: str) -> bool:
    """Whether a sum over all axes halves, at multiples of 8 numbers, down to small leaves.

    This is NumPy's pairwise summation (numpy/_core/src/umath/loops_utils.h.src).
    """
    unit = 2 if char in "FDG" else 1
    return all(
        _same(_add_up(values), _tree(values, unit))
        for values in (_numbers((count,), char) for count in (3001, 8192, 20011))
    )


def _tree(values: np.ndarray[Any, Any], unit: int) -> Any:
    if values.size <= _LEAF:
        return _add_up(values)
    half = values.size * unit // 2
    half = (half - half % 8) // unit
    return _tree(values[:half], unit) + _tree(values[half:], unit)


@cache
def reduces_in_lines(ufunc: np.ufunc, char: str) -> bool:
    """Whether each row is reduced as if it were alone, and columns are reduced row by row."""
    values = _numbers((37, 211), char)
    with np.errstate(all="ignore"):
        rows = [ufunc.reduce(row) for row in values]
        columns = values[0]
        for row in values[1:]:
            columns = ufunc(columns, row)
        return _same(ufunc.reduce(values, axis=1), np.array(rows, char)) and _same(
            ufunc.reduce(values, axis=0), columns
        )


@cache
def depends_on_position(ufunc: np.ufunc, char: str) -> bool:
    """Whether an element gives other bits alone than among others; tries NaNs and zeros."""
    with np.errstate(all="ignore"):
        pool = np.concatenate([_SPECIAL.astype(char), _signalling(char)])
        first, second = np.repeat(pool, pool.size), np.tile(pool, pool.size)
        operands = [first, second, np.roll(first, 1)][: ufunc.nin]
        together = _results(ufunc(*operands))
        alone = [
            _results(ufunc(*(operand[index : index + 1] for operand in operands)))
            for index in range(first.size)
        ]
    parts = map(np.concatenate, zip(*alone, strict=True))
    return not all(map(_same_number, together, parts))


_SPECIAL = np.array([0.0, -0.0, 1.5, -2.0, np.inf, -np.inf, np.nan, 1e-7])


def _signalling(char: str) -> np.ndarray[Any, Any]:
    """Signalling NaNs; none for complex numbers and long doubles, which have no vector loops."""
    bits = {
        "e": (0x7C01, 0xFD00),
        "f": (0x7F800001, 0xFFA00000),
        "d": (0x7FF << 52 | 1, 0xFFF4 << 48),
    }
    found = bits.get(char, ())
    return np.array(found, f"u{np.dtype(char).itemsize}").view(char) if found else _SPECIAL[:0]


def _results(value: Any) -> tuple[Any, ...]:
    return value if isinstance(value, tuple) else (value,)


def _same_number(one: Any, other: Any) -> bool:
    """Whether all are equal, signs of zeros included and NaN payloads excepted."""
    if one.dtype.kind == "c":
        return _same_number(one.real, other.real) and _same_number(one.imag, other.imag)
    return _same(one, other) and _same(
        np.signbit(one) | np.isnan(one), np.signbit(other) | np.isnan(other)
    )


@cache
def composes(name: str, char: str) -> bool:
    """Whether NumPy computes a mean, variance, deviation or norm in the machine's steps."""
    values = _numbers((23, 97), char)
    function, steps = _STEPS[name]
    return _same(function(values), steps(values))


def _divided(total: Any, count: int) -> Any:
    return np.true_divide(total, np.intp(count)).astype(total.dtype)


def _mean(values: Any) -> Any:
    return _divided(_add_up(values, axis=1), values.shape[1])


def _variance(values: Any) -> Any:
    mean = _divided(_add_up(values, axis=1, keepdims=True), values.shape[1])
    distance = values - mean
    return _divided(_add_up(distance * distance, axis=1), values.shape[1] - 1)


def _deviation(values: Any) -> Any:
    return np.sqrt(_variance(values))


def _norm(values: Any) -> Any:
    return np.sqrt(_add_up(values * values, axis=1))


_Function = Callable[[Any], Any]
_STEPS: Mapping[str, tuple[_Function, _Function]] = MappingProxyType(
    {
        "mean": (lambda values: np.mean(values, axis=1), _mean),
        "var": (lambda values: np.var(values, axis=1, ddof=1), _variance),
        "std": (lambda values: np.std(values, axis=1, ddof=1), _deviation),
        "norm": (lambda values: np.linalg.norm(values, axis=1), _norm),
    }
)
