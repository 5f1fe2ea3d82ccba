"""Whether two results are the same: values bit for bit, types, shapes and strides.

Invariant: `differences` ignores only NaN payloads; the sign of zero counts. Optimised functions
must have none. Peers may use other dtypes and layouts, so for them `distance` gives the largest
relative difference.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np


def differences(expected: Any, actual: Any, path: str = "result") -> list[str]:
    """One line for each difference of two results or tuples of arguments."""
    return list(_differences(expected, actual, path))


def _differences(expected: Any, actual: Any, path: str) -> Iterator[str]:
    if type(expected) is not type(actual):
        yield f"{path}: {type(expected).__name__} became {type(actual).__name__}"
    elif isinstance(expected, np.ndarray | np.generic):
        yield from _array_differences(np.asanyarray(expected), np.asanyarray(actual), path)
    elif isinstance(expected, tuple | list):
        if len(expected) != len(actual):
            yield f"{path}: {len(expected)} items became {len(actual)}"
        for index, pair in enumerate(zip(expected, actual, strict=False)):
            yield from _differences(*pair, f"{path}[{index}]")
    elif expected != actual:
        yield f"{path}: {expected!r} became {actual!r}"


def _array_differences(
    expected: np.ndarray[Any, Any], actual: np.ndarray[Any, Any], path: str
) -> Iterator[str]:
    facts = [(name, getattr(expected, name), getattr(actual, name)) for name in FACTS]
    unequal = [f"{path}: {name} {one} became {other}" for name, one, other in facts if one != other]
    yield from unequal
    if not unequal and not same_bits(expected, actual):
        where = np.flatnonzero(~same_elements(expected, actual))
        yield (
            f"{path}: {len(where)} of {expected.size} elements differ, the first at {where[0]}: "
            f"{expected.flat[where[0]]!r} became {actual.flat[where[0]]!r}"
        )


FACTS = ("dtype", "shape", "strides")


def same_bits(expected: np.ndarray[Any, Any], actual: np.ndarray[Any, Any]) -> bool:
    """Whether two arrays of one dtype and shape agree.

    It compares the bytes first, since they nearly always agree.
    """
    if not expected.dtype.hasobject and expected.tobytes() == actual.tobytes():
        return True
    return bool(np.all(same_elements(expected, actual)))


def same_elements(expected: np.ndarray[Any, Any], actual: np.ndarray[Any, Any]) -> Any:
    """A flat bool array: whether each element is the same, apart from NaN payloads."""
    expected, actual = expected.ravel(), actual.ravel()
    if expected.dtype.kind == "c":
        return same_elements(expected.real, actual.real) & same_elements(expected.imag, actual.imag)
    equal = expected == actual
    if expected.dtype.kind == "f":
        equal &= np.signbit(expected) == np.signbit(actual)
        equal |= np.isnan(expected) & np.isnan(actual)
    return equal


def distance(expected: Any, actual: Any) -> float:
    """The largest relative difference between two results' numbers; inf if shapes differ.

    0.0 means the same values, whatever their types and strides.
    """
    if isinstance(expected, tuple | list):
        if not isinstance(actual, tuple | list) or len(expected) != len(actual):
            return np.inf
        return max(map(distance, expected, actual), default=0.0)
    if expected is None or actual is None:
        return 0.0 if expected is actual else np.inf
    return _array_distance(np.asarray(expected), np.asarray(actual))


def _array_distance(expected: np.ndarray[Any, Any], actual: np.ndarray[Any, Any]) -> float:
    if expected.shape != actual.shape:
        return np.inf
    if expected.dtype == actual.dtype and same_bits(expected, actual):
        return 0.0
    with np.errstate(all="ignore"):
        apart = np.abs(np.subtract(expected, actual, dtype=np.result_type(expected, 1.0)))
        scale = np.max(np.abs(expected), initial=0.0)
    largest = float(np.max(apart, initial=0.0))
    return largest / float(scale) if scale else largest
