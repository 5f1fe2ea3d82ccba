"""Effects: the one write of a region to outside memory, prepared so that it cannot fail.

Preparing does everything that can raise (shapes, casts, floating-point flags, data errors) in
temporaries, and returns a *commit*: a C-level callable that cannot fail, most often a copy between
arrays of equal dtype and fitting shape. Invariant: a case that cannot be proved raises CannotProve
before the target is written, and the original instruction runs instead. This module has assignments
to items; `exec.effects.inplace` has operations that compute into their target.
"""

from __future__ import annotations

import operator
from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np

from dyntrace.exec.checks import CannotProve, same_dtype
from dyntrace.exec.effects import inplace
from dyntrace.exec.effects.memory import Commit, can_overlap, refuse_imaginary, require_target
from dyntrace.graph.describe import describe
from dyntrace.graph.kinds import ArrayKind, KnownKind, PythonScalarKind
from dyntrace.graph.node import Node
from dyntrace.graph.ownership import is_fresh, written
from dyntrace.graph.subscripts import index_items, is_basic


def value_of(effect: Node) -> Any:
    """What the effect evaluates to: the array it writes, or a constant such as None."""
    if isinstance(effect.kind, KnownKind):
        return effect.kind.value
    return effect.args[0] if effect.op.style in ("setitem", "inplace") else written(effect)[0]


def preparer(effect: Node) -> Callable[..., Commit]:
    """The function that takes the effect's argument values and returns its commit."""
    if effect.op.style == "setitem":
        return _setitem_preparer(*effect.args)
    if effect.op.style == "inplace":
        return inplace.operator_preparer(effect)
    return inplace.call_preparer(effect)


def _setitem_preparer(array: Any, index: Any, value: Any) -> Callable[..., Commit]:
    basic, mask = is_basic(index), _is_own_mask(index)
    limits = _exact_numbers(array, value)
    if limits is not None and (basic or mask):
        return partial(prepare_mask if mask else prepare_number, limits)
    owned = isinstance(value, Node) and is_fresh(value)
    return partial(prepare_view if basic else prepare_gathered, owned)


def _is_own_mask(index: Any) -> bool:
    """Whether the index is an array of bools that the region made, so nobody else writes it."""
    return (
        isinstance(index, Node)
        and isinstance(index.kind, ArrayKind)
        and index.kind.dtype == bool
        and is_fresh(index)
    )


def _exact_numbers(array: Any, value: Any) -> tuple[Any, Any] | None:
    """The limits within which a Python number is stored in the array unchanged; None: unknown."""
    kind = value.kind if isinstance(value, Node) else describe(value)
    if not isinstance(array.kind, ArrayKind) or not isinstance(kind, PythonScalarKind):
        return None
    dtype = array.kind.dtype
    if kind.type in (int, bool) and dtype.kind in "iu":
        return np.iinfo(dtype).min, np.iinfo(dtype).max
    if kind.type in (int, bool, float) and dtype.char in "dD":
        return (None, None) if kind.type is float else (-(2**63), 2**63)
    return None


def prepare_view(owned: bool, array: Any, index: Any, value: Any) -> Commit:
    """Prepare `array[index] = value` for a basic index; `owned`: the region made the value."""
    require_target(array)
    items = index_items(index)
    view = array[index] if Ellipsis in items else array[(*items, Ellipsis)]
    source = _converted(owned, value, view, view.shape)
    _require_fit(source, view.shape)
    return partial(view.__setitem__, Ellipsis, source)


def prepare_number(limits: tuple[Any, Any], array: Any, index: Any, value: Any) -> Commit:
    """Prepare `array[index] = value` for a basic index and a number that needs no rounding."""
    require_target(array)
    _require_within(limits, value)
    array[index]  # raises IndexError where the assignment would raise it
    return partial(operator.setitem, array, index, value)


def prepare_mask(limits: tuple[Any, Any], array: Any, index: Any, value: Any) -> Commit:
    """Prepare `array[mask] = value`, for the same numbers."""
    require_target(array)
    _require_within(limits, value)
    if index.shape != array.shape:
        raise CannotProve("the mask has another shape")
    return partial(operator.setitem, array, index, value)


def _require_within(limits: tuple[Any, Any], value: Any) -> None:
    low, high = limits
    if low is not None and not low <= value <= high:
        raise CannotProve("the number is out of range")


def prepare_gathered(owned: bool, array: Any, index: Any, value: Any) -> Commit:
    """Prepare `array[index] = value` for an index with arrays, lists or bools in it."""
    require_target(array)
    for item in index_items(index):
        if isinstance(item, np.ndarray) and can_overlap(item, array):
            raise CannotProve("the index may overlap the target")
    if not owned and isinstance(value, np.ndarray) and can_overlap(value, array):
        raise CannotProve("the outcome depends on the order in which NumPy 2.0 writes")
    shape = _selected_shape(array, index)
    source = _converted(owned, value, array, shape)
    if source.ndim > len(shape):
        raise CannotProve("more dimensions than the index selects")
    _require_fit(source, shape)
    return partial(array.__setitem__, index, source)


def _selected_shape(array: Any, index: Any) -> tuple[int, ...]:
    """The shape of `array[index]`; raises what the assignment would raise."""
    if type(index) is np.ndarray and index.dtype == bool and index.shape == array.shape:
        return (int(np.count_nonzero(index)),)
    selected: Any = array[index]
    if type(selected) is not np.ndarray:
        raise CannotProve("the index selects a single item")
    return tuple(selected.shape)


def _converted(owned: bool, value: Any, target: Any, shape: tuple[int, ...]) -> Any:
    """`value` as an array of the target's dtype that does not overlap the target."""
    dtype = target.dtype
    if type(value) is np.ndarray:
        if same_dtype(value.dtype, dtype):
            if owned or not can_overlap(value, target):
                return value
            _require_temporary(value, target)
            return value.copy(order="K")
        refuse_imaginary(value, dtype)
        source = np.empty_like(value, dtype=dtype)
    elif isinstance(value, (tuple, list)):
        refuse_imaginary(value, dtype)
        source = np.empty(shape, dtype)
    else:
        refuse_imaginary(value, dtype)
        source = np.empty((), dtype)
    source[...] = value
    return source


def _require_temporary(value: Any, target: Any) -> None:
    """Raise CannotProve if NumPy would assign without a temporary, and read what it has written.

    It does so along one axis, if the strides differ and have the same sign.
    """
    if target.ndim != 1 or not value.ndim:
        return
    one, other = target.strides[0], value.strides[-1]
    if one != other and (one < 0) == (other < 0):
        raise CannotProve("what is read has been written before")


def _require_fit(source: Any, shape: tuple[int, ...]) -> None:
    """Raise CannotProve unless `source` broadcasts to `shape`, as assignment does.

    Assignment drops leading axes of length one first.
    """
    given = source.shape
    while len(given) > len(shape) and given[0] == 1:
        given = given[1:]
    wanted = shape[len(shape) - len(given) :] if len(given) <= len(shape) else None
    if given == wanted:
        return
    if wanted is None or any(n not in (1, m) for n, m in zip(given, wanted, strict=True)):
        raise CannotProve(f"cannot broadcast {source.shape} into {shape}")
