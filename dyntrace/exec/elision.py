"""Temporary elision: the layout of a result that eager NumPy computes in a temporary's memory.

NumPy computes `a + b` in the memory of an operand of 256 KiB or more that only the stack refers to
(numpy/_core/src/multiarray/temp_elide.c and number.c). The result then has the temporary's strides.
If the temporary is the right operand of a commutative operator, the operands are swapped.
Invariant: `binary` gives the strides and the operand order of the eager call. Unary operators need
no such care, since their result has the operand's strides anyway. Read `ops.facts` for which
operators elide.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from dyntrace.exec.checks import CannotProve
from dyntrace.exec.effects.memory import is_writeable
from dyntrace.graph.kinds import NUMERIC_CHARS, ArrayKind
from dyntrace.graph.node import Node
from dyntrace.ops.facts import BY_OPERATOR, EITHER, LEFT, UFUNCS

SMALLEST = 256 * 1024


def reusable_operands(node: Node) -> tuple[int, ...]:
    """The indices of the operands whose memory eager may reuse; () for most operations."""
    if node.op.style != "infix":
        return ()
    return tuple(
        index
        for index in node.origin.temporaries
        if index in (0, 1)
        and isinstance(getattr(node.args[index], "kind", None), ArrayKind)
        and elides_operand(node.op.target, index)
    )


def elides_operand(target: Callable[..., Any], index: int) -> bool:
    """Whether NumPy may compute this operator in the memory of operand `index`."""
    ufunc = BY_OPERATOR.get(target)
    found = UFUNCS[ufunc].elides if ufunc is not None else ""
    return found == EITHER or (found == LEFT and index == 0)


def keeps_dtype(
    target: Callable[..., Any], temporary: np.dtype[Any], beside: np.dtype[Any]
) -> bool:
    """Whether an operator on a temporary and another operand gives the temporary's dtype."""
    if target is operator.truediv and temporary.kind not in "fc":
        return False
    return np.can_cast(beside, temporary, "safe")


def binary(target: Callable[..., Any], left: Any, right: Any, temporaries: Sequence[int]) -> Any:
    """`target(left, right)`, laid out as if the operands `temporaries` were temporaries."""
    reused = reused_operand(target, left, right, temporaries)
    if reused is None:
        return target(left, right)
    first, second = (left, right) if reused == 0 else (right, left)
    return BY_OPERATOR[target](first, second, out=np.empty_like(first))


def without_reuse(
    temporaries: Sequence[int], target: Callable[..., Any], left: Any, right: Any
) -> Any:
    """`target(left, right)`, where an operand may be a temporary made outside the region.

    Whether eager reuses that operand depends on references that the region cannot see. Raises
    CannotProve if the result's layout would show it.
    """
    reused = reused_operand(target, left, right, temporaries)
    if reused is not None:
        first, second = (left, right) if reused == 0 else (right, left)
        if isinstance(second, np.ndarray) and second.ndim and first.strides != second.strides:
            raise CannotProve("the layout depends on who else holds a temporary")
    return target(left, right)


def reused_operand(
    target: Callable[..., Any], left: Any, right: Any, temporaries: Sequence[int]
) -> int | None:
    """The index of the operand whose memory eager reuses; None if it reuses neither."""
    for index, operand, other in ((0, left, right), (1, right, left)):
        if index in temporaries and _fits(target, operand, other) and elides_operand(target, index):
            return index
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
