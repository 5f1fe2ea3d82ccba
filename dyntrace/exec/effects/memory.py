"""Tests of an array's memory for effects: whether it is writeable, overlaps, is contiguous.

Invariant: every answer is conservative. Arrays whose address ranges meet overlap; a target that may
hold an address twice is refused. Read `exec.effects.writes` and `exec.effects.inplace` next.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np

from dyntrace.exec.checks import CannotProve

Commit = Callable[[], Any]


WRITEABLE, WARNS = 0x0400, 1 << 31  # NPY_ARRAY_WRITEABLE, and what NumPy calls WARN_ON_WRITE


def is_writeable(flags: Any) -> bool:
    """Whether an array's memory can be written without a warning.

    Reading `flags.writeable` warns for a result of `np.broadcast_arrays`; reading `num` never does.
    """
    number: int = flags.num
    return bool(number & WRITEABLE) and not number & WARNS


def require_target(array: Any) -> None:
    """Raise CannotProve unless `array` can be written without error, warning or ambiguity."""
    flags = array.flags
    if not is_writeable(flags):
        raise CannotProve("the target cannot be written, or not without a warning")
    if not (flags.c_contiguous or flags.f_contiguous) and holds_addresses_twice(array):
        raise CannotProve("the target may hold one address twice")


def is_dense(array: Any) -> bool:
    """Whether `array` is C- or Fortran-contiguous, so that a copy has the same strides."""
    flags = array.flags
    return bool(flags.c_contiguous or flags.f_contiguous)


def require_dense(array: Any) -> None:
    """Raise CannotProve unless a temporary can have the strides of `array`."""
    if not is_dense(array):
        raise CannotProve("the result may depend on the target's strides")


def holds_addresses_twice(array: Any) -> bool:
    """Whether two items may share an address; True if it cannot tell."""
    reach = array.itemsize
    for stride, length in sorted(zip(map(abs, array.strides), array.shape, strict=True)):
        if length == 1:
            continue
        if stride < reach:
            return True
        reach = stride * (length - 1) + reach
    return False


def can_overlap(value: Any, array: Any) -> bool:
    """Whether the address ranges of `value` and `array` meet."""
    return isinstance(value, np.ndarray) and bool(np.may_share_memory(value, array))


def copy_back(array: Any, temporary: Any) -> Commit:
    """The commit that moves a temporary of equal dtype and shape into `array`."""
    return partial(array.__setitem__, Ellipsis, temporary)


def refuse_imaginary(value: Any, dtype: np.dtype[Any]) -> None:
    """Raise CannotProve for a cast from complex to real, about which NumPy warns."""
    if dtype.kind == "c":
        return
    if isinstance(value, (tuple, list)):
        for item in value:
            refuse_imaginary(item, dtype)
    elif isinstance(value, (np.ndarray, np.generic)) and value.dtype.kind == "c":
        raise CannotProve("complex values into a real array")
