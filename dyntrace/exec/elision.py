"""Eager NumPy's reuse of large temporaries, written out.

Invariant: `binary` gives the strides and operand order that eager gives when the operands at
`places` were on the stack only. NumPy then computes `a + b` in the temporary's memory, from 256 KiB
on (numpy/_core/src/multiarray/temp_elide.c and number.c), so the result takes the temporary's
strides and, if that is the right operand of a commutative operator, the operands change places.
Reuse by unary operators is not written out: their result has the temporary's strides anyway.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from dyntrace.exec.checks import CannotProve
from dyntrace.exec.effects.memory import is_writeable
from dyntrace.graph.kinds import NUMERIC_CHARS
from dyntrace.graph.node import Node
from dyntrace.ops.facts import BY_OPERATOR, EITHER, LEFT, UFUNCS

SMALLEST = 256 * 1024


def places_of(node: Node) -> tuple[int, ...]:
    """The operands whose memory eager may reuse for the result; () for most operations."""
    if node.op.style != "infix":
        return ()
    return tuple(
        place
        for place in node.origin.temporaries
        if place in (0, 1) and elides_operand(node.op.target, place)
    )


def elides_operand(target: Callable[..., Any], place: int) -> bool:
    """Whether NumPy may compute this operator in the memory of the operand at `place`."""
    ufunc = BY_OPERATOR.get(target)
    found = UFUNCS[ufunc].elides if ufunc is not None else ""
    return found == EITHER or (found == LEFT and place == 0)


def keeps_dtype(
    target: Callable[..., Any], temporary: np.dtype[Any], beside: np.dtype[Any]
) -> bool:
    """Whether the result of a temporary and an operand of these dtypes fits into the temporary."""
    if target is operator.truediv and temporary.kind not in "fc":
        return False
    return np.can_cast(beside, temporary, "safe")


def binary(target: Callable[..., Any], left: Any, right: Any, places: Sequence[int]) -> Any:
    """`target(left, right)`, laid out as if the operands at `places` were temporaries."""
    place = reused_place(target, left, right, places)
    if place is None:
        return target(left, right)
    first, second = (left, right) if place == 0 else (right, left)
    return BY_OPERATOR[target](first, second, out=np.empty_like(first))


def beside_outside(places: Sequence[int], target: Callable[..., Any], left: Any, right: Any) -> Any:
    """`target(left, right)` where a temporary came from outside the region and must survive.

    Whether eager would reuse it depends on references not visible here: raise CannotProve where
    that would show in the layout of the result.
    """
    place = reused_place(target, left, right, places)
    if place is not None:
        first, second = (left, right) if place == 0 else (right, left)
        if isinstance(second, np.ndarray) and second.ndim and first.strides != second.strides:
            raise CannotProve("the layout depends on who else holds a temporary")
    return target(left, right)


def reused_place(
    target: Callable[..., Any], left: Any, right: Any, places: Sequence[int]
) -> int | None:
    """Which operand's memory eager reuses, if the operands at `places` are temporaries."""
    for place, temporary, other in ((0, left, right), (1, right, left)):
        if place in places and elides_operand(target, place) and _fits(target, temporary, other):
            return place
    return None


def _fits(target: Callable[..., Any], temporary: Any, other: Any) -> bool:
    """NumPy's own conditions on a temporary and the operand beside it."""
    if type(temporary) is not np.ndarray or temporary.nbytes < SMALLEST:
        return False
    flags = temporary.flags
    if temporary.dtype.char not in NUMERIC_CHARS or not flags.owndata or not is_writeable(flags):
        return False
    if type(other) is not np.ndarray and not isinstance(other, (np.generic, int, float, complex)):
        return False
    beside = np.asarray(other)
    fits = beside.ndim == 0 or beside.shape == temporary.shape
    return fits and keeps_dtype(target, temporary.dtype, beside.dtype)
