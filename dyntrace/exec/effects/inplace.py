"""Effects that compute into their target: `x += y`, `np.add(a, b, out=c)`, `x.sort()`.

Invariant: preparing computes into a temporary of the target's dtype and shape, and of its strides
if bits may depend on them. So an error is raised before the target is written. Two cases need no
temporary, and their commit is the eager call: a large operation is rehearsed tile by tile
(`exec.effects.rehearsal`), and integer arithmetic that raises no flag cannot fail. Read
`exec.effects.memory` next.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np

from dyntrace.exec.checks import CannotProve, same_dtype
from dyntrace.exec.effects import rehearsal
from dyntrace.exec.effects.memory import (
    Commit,
    can_overlap,
    copy_back,
    refuse_imaginary,
    require_dense,
    require_target,
)
from dyntrace.graph.describe import describe
from dyntrace.graph.kinds import ArrayKind, NumpyScalarKind, PythonScalarKind
from dyntrace.graph.node import Node
from dyntrace.graph.ownership import written
from dyntrace.ops.facts import BY_INPLACE, EXACT, UFUNCS

_MOVES = frozenset("put place putmask fill_diagonal put_along_axis copyto at".split())


def operator_preparer(effect: Node) -> Callable[..., Commit]:
    """The preparer of `array += value` and its like, chosen by the kinds of the operands."""
    operation = effect.op.target
    ufunc = BY_INPLACE.get(operation)
    if ufunc is None or not _is_exact(ufunc, effect.args):
        return partial(_prepare_on_copy, operation)
    return partial(prepare_operator, ufunc, UFUNCS[ufunc].quiet)


def _is_exact(ufunc: np.ufunc, operands: tuple[Any, ...]) -> bool:
    """Whether strides cannot change the bits: the loop is exact and the operands are real."""
    row = UFUNCS.get(ufunc)
    return row is not None and row.bits == EXACT and all(map(_is_real, operands))


def prepare_operator(ufunc: np.ufunc, quiet: bool, array: Any, value: Any) -> Commit:
    """Prepare `array += value` and its like, by an exact loop.

    `quiet`: the operation raises no flag on integers of one dtype.
    """
    require_target(array)
    if quiet and _are_integers(array, value):
        return partial(ufunc, array, value, array)
    if array.nbytes > rehearsal.LARGE and rehearsal.fit(array, (array, value)):
        rehearsal.rehearse(ufunc, array.dtype, (array, value))
        return partial(ufunc, array, value, array)
    return copy_back(array, ufunc(array, value, out=np.empty_like(array)))


def _prepare_on_copy(operation: Callable[..., Any], array: Any, value: Any) -> Commit:
    """Run the operator in place on a copy, because its bits or flags may depend on that.

    Such are `**=` (fast paths), `@=` (core dimensions) and all operators on complex numbers.
    """
    require_target(array)
    require_dense(array)
    if value is not array and can_overlap(value, array):
        raise CannotProve("the operand overlaps the target")
    temporary = array.copy(order="K")
    result = operation(temporary, temporary if value is array else value)
    if result is not temporary:
        raise CannotProve("the operation made a new array")
    return copy_back(array, temporary)


def _are_integers(array: Any, value: Any) -> bool:
    """Whether the operands are integers of one dtype and fitting shape: no cast, no error."""
    if array.dtype.kind not in "iu":
        return False
    if type(value) is int:
        limits = np.iinfo(array.dtype)
        return bool(limits.min <= value <= limits.max)
    if type(value) is not np.ndarray or not same_dtype(value.dtype, array.dtype):
        return False
    if value is array:
        return True
    return value.shape in (array.shape, ()) and not can_overlap(value, array)


def _require_same_bits(array: Any, operands: tuple[Any, ...]) -> None:
    """Raise CannotProve unless a temporary can have the strides that the eager call sees."""
    require_dense(array)
    for value in operands:
        if value is not array and can_overlap(value, array):
            raise CannotProve("an operand overlaps the target")


def _is_real(operand: Any) -> bool:
    """Whether an argument of an effect is a real number or an array of real numbers."""
    kind = operand.kind if isinstance(operand, Node) else describe(operand)
    if isinstance(kind, (ArrayKind, NumpyScalarKind)):
        return kind.dtype.kind in "biuf"
    return isinstance(kind, PythonScalarKind) and kind.type is not complex


def call_preparer(effect: Node) -> Callable[..., Commit]:
    """The preparer of a call that writes one of its arguments."""
    arguments = [argument for argument in effect.op.writes if _is_given(effect, argument)]
    if len(arguments) != 1 or len(written(effect)) != 1:
        return _refuse
    target = effect.op.target
    if isinstance(target, np.ufunc):
        return partial(prepare_ufunc, target, _is_exact(target, effect.args), arguments[0])
    name = effect.op.name.rpartition(".")[2]
    if name == "fill" and effect.op.style == "method":
        return prepare_fill
    return partial(prepare_call, target, arguments[0], name in _MOVES)


def _is_given(effect: Node, argument: int | str) -> bool:
    if isinstance(argument, str):
        return dict(effect.kwargs).get(argument) is not None
    return argument < len(effect.args) and effect.args[argument] is not None


def _refuse(*args: Any, **kwargs: Any) -> Commit:
    raise CannotProve("more than one target")


def prepare_ufunc(
    ufunc: np.ufunc, exact: bool, argument: int | str, *args: Any, **kwargs: Any
) -> Commit:
    """Prepare `ufunc(..., out=array)`, with `where`, `dtype` and `casting` if given."""
    array = _target(argument, args, kwargs)
    require_target(array)
    operands = args[: ufunc.nin]
    plain = kwargs.keys() <= {"out"}
    if not (exact and plain):
        _require_same_bits(array, operands)
    if plain and array.nbytes > rehearsal.LARGE and rehearsal.fit(array, operands):
        rehearsal.rehearse(ufunc, array.dtype, operands)
        return partial(ufunc, *args, **kwargs)
    if kwargs.get("casting") == "unsafe" or can_overlap(kwargs.get("where"), array):
        raise CannotProve("an unsafe cast may warn, a mask may be written")
    inplace = not exact and any(operand is array for operand in operands)
    copied = inplace or "where" in kwargs
    temporary = array.copy(order="K") if copied else np.empty_like(array)
    args, kwargs = _redirected(argument, temporary, args, kwargs)
    if inplace:
        args = tuple(temporary if operand is array else operand for operand in args)
    if ufunc(*args, **kwargs) is not temporary:
        raise CannotProve("the ufunc returned another array")
    return copy_back(array, temporary)


def prepare_fill(array: Any, value: Any) -> Commit:
    """Prepare `array.fill(value)` with a number."""
    require_target(array)
    if isinstance(value, np.ndarray):
        raise CannotProve("not a number")
    refuse_imaginary(value, array.dtype)
    temporary = np.empty((), array.dtype)
    temporary.fill(value)
    return copy_back(array, temporary)


def prepare_call(
    function: Callable[..., Any], argument: int | str, moves: bool, *args: Any, **kwargs: Any
) -> Commit:
    """Prepare any other call that writes one of its arguments: it writes a copy of the target.

    Other arguments that are the target become the same copy, so that the function sees the sharing
    it sees in eager code. `argument` is a position or a keyword. `moves`: the function only copies
    values, so strides cannot change them.
    """
    array = _target(argument, args, kwargs)
    require_target(array)
    if not moves:
        require_dense(array)
    temporary = array.copy(order="K")
    args, kwargs = _redirected(argument, temporary, args, kwargs)
    args = tuple(temporary if value is array else value for value in args)
    for value in (*args, *kwargs.values()):
        refuse_imaginary(value, array.dtype)
        if can_overlap(value, array):
            raise CannotProve("an argument overlaps the target")
    function(*args, **kwargs)
    return copy_back(array, temporary)


def _target(argument: int | str, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    found = args[argument] if isinstance(argument, int) else kwargs[argument]
    return found[0] if isinstance(found, tuple) else found


def _redirected(
    argument: int | str, temporary: Any, args: tuple[Any, ...], kwargs: dict[str, Any]
) -> tuple[tuple[Any, ...], dict[str, Any]]:
    """The arguments with `temporary` in place of the target."""
    if isinstance(argument, str):
        return args, {**kwargs, argument: temporary}
    return (*args[:argument], temporary, *args[argument + 1 :]), kwargs
