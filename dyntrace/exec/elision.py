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

SMALLEST = 256 * 1024
COMMUTATIVE: dict[Any, np.ufunc] = {
    operator.add: np.add,
    operator.mul: np.multiply,
    operator.and_: np.bitwise_and,
    operator.or_: np.bitwise_or,
    operator.xor: np.bitwise_xor,
}
ELIDING: dict[Any, np.ufunc] = {
    **COMMUTATIVE,
    operator.sub: np.subtract,
    operator.truediv: np.true_divide,
    operator.floordiv: np.floor_divide,
    operator.lshift: np.left_shift,
    operator.rshift: np.right_shift,
}


def places_of(node: Node) -> tuple[int, ...]:
    """The operands whose memory eager may reuse for the result; () for most operations."""
    if node.op.style != "infix" or node.op.target not in ELIDING:
        return ()
    return tuple(place for place in node.origin.temporaries if place in (0, 1))


def binary(target: Callable[..., Any], left: Any, right: Any, places: Sequence[int]) -> Any:
    """`target(left, right)`, laid out as if the operands at `places` were temporaries."""
    place = reused_place(target, left, right, places)
    if place is None:
        return target(left, right)
    first, second = (left, right) if place == 0 else (right, left)
    return ELIDING[target](first, second, out=np.empty_like(first))


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
    if 0 in places and can_reuse(left, right):
        if target is not operator.truediv or left.dtype.kind in "fc":
            return 0
    if 1 in places and target in COMMUTATIVE and can_reuse(right, left):
        return 1
    return None


def can_reuse(temporary: Any, other: Any) -> bool:
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
    return fits and np.can_cast(beside.dtype, temporary.dtype, "safe")
