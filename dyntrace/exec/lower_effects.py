"""Instructions for the trailing effect of a region that leaves nothing else behind."""

from __future__ import annotations

from typing import Any

import numpy as np

from dyntrace.exec import inplace, loops
from dyntrace.exec.lower_elementwise import dtype_of, lacks_one
from dyntrace.exec.lower_views import have_keys, is_basic, items_of
from dyntrace.exec.lowering import ASSIGN, ELEMENTWISE, VIEW, Lowering
from dyntrace.graph.kinds import ArrayKind, NumpyScalarKind, PythonScalarKind
from dyntrace.graph.node import Node

_NOTHING = ((False, False), (False, False))


def lower_effect(lowering: Lowering, effect: Node) -> bool:
    """Emit the effect if the machine can prove it and do it."""
    if effect.op.style == "setitem":
        return _lower_setitem(lowering, *effect.args)
    if effect.op.style == "inplace":
        ufunc = inplace.OPERATORS.get(effect.op.target)
        return ufunc is not None and _lower_computed(
            lowering, ufunc, effect.args, effect.args[0]
        )
    return _lower_out(lowering, effect)


def _lower_out(lowering: Lowering, effect: Node) -> bool:
    """`np.add(x, y, out=z)` with nothing else."""
    ufunc, keywords = effect.op.target, dict(effect.kwargs)
    if not isinstance(ufunc, np.ufunc) or ufunc.nout != 1 or set(keywords) - {"out"}:
        return False
    target = keywords.get("out") if "out" in keywords else effect.args[-1]
    if type(target) is tuple and len(target) == 1:
        target = target[0]
    given = len(effect.args) == ufunc.nin + ("out" not in keywords)
    return given and _lower_computed(lowering, ufunc, effect.args[: ufunc.nin], target)


def _is_input_array(lowering: Lowering, target: Any) -> bool:
    return (
        isinstance(target, Node) and target in lowering.inputs and isinstance(target.kind, ArrayKind)
    )


def _lower_computed(
    lowering: Lowering, ufunc: np.ufunc, args: tuple[Any, ...], target: Any
) -> bool:
    """The result of a loop, in the target's dtype, into the target."""
    if not _is_input_array(lowering, target):
        return False
    dtypes, dtype = tuple(map(dtype_of, args)), target.kind.dtype
    regs = [lowering.operand(value) for value in args]
    if lacks_one(dtypes) or lacks_one(regs):
        return False
    loop = loops.elementwise(ufunc, (*dtypes, dtype), "same_kind")
    if loop is None or not loops.can_cast(loop.dtypes[-1], dtype):
        return False
    if loops.exactness(ufunc, loop.dtypes[0]) != loops.EXACT:
        return False  # in place, its bits may depend on the target's strides
    overflows = [*zip(dtypes, loop.dtypes, strict=False), (loop.dtypes[-1], dtype)]
    lowering.segment.overflows |= any(loops.may_overflow(*pair) for pair in overflows)
    result = lowering.new(dtype, target.kind.ndim)
    ins = tuple(reg for reg in regs if reg is not None)
    lowering.emit(ELEMENTWISE, ins, (result,), (loop.description, *_NOTHING))
    _assign(lowering, target, lowering.register_of[target], result, strict=True)
    return True


def _assign(lowering: Lowering, array: Node, target: int, source: int, *, strict: bool) -> None:
    lowering.emit(ASSIGN, (target, source), (), (strict,))
    lowering.segment.target = lowering.register_of[array]
    lowering.close()


def _lower_setitem(lowering: Lowering, array: Any, index: Any, value: Any) -> bool:
    """`x[...] = value` with a basic index and a value that goes in without a warning."""
    if not _is_input_array(lowering, array) or not is_basic(index):
        return False
    source = lowering.operand(value)
    if source is None or not _fits(value, array.kind.dtype):
        return False
    have_keys(lowering, index)
    items = items_of(lowering, index)
    left = array.kind.ndim - _taken(index) + _added(index)
    if left < 0 or left > 8:
        return False
    view = lowering.new(array.kind.dtype, left)
    if isinstance(value, Node) and isinstance(value.kind, ArrayKind):
        lowering.segment.overflows |= loops.may_overflow(value.kind.dtype, array.kind.dtype)
    lowering.emit(VIEW, (lowering.register_of[array],), (view,), items)
    _assign(lowering, array, view, source, strict=False)
    return True


def _items(index: Any) -> tuple[Any, ...]:
    return index if type(index) is tuple else (index,)


def _taken(index: Any) -> int:
    """How many axes ints take away."""
    kept = (item is None or item is Ellipsis or type(item) is slice for item in _items(index))
    return sum(not keeps for keeps in kept)


def _added(index: Any) -> int:
    return sum(item is None for item in _items(index))


def _fits(value: Any, dtype: np.dtype[Any]) -> bool:
    """Whether the value goes into an array of this dtype as the machine converts it."""
    found = dtype_of(value)
    if isinstance(value, Node) and isinstance(value.kind, ArrayKind):
        return loops.can_cast(found, dtype)
    if isinstance(value, Node) and not isinstance(value.kind, NumpyScalarKind | PythonScalarKind):
        return False
    if isinstance(found, np.dtype):
        return found == dtype or (found.kind == "b" and dtype.kind in "iufc")
    if found is float:
        return dtype.char in "fdgFD"
    return found is int and dtype.kind in "iufc" and dtype.char != "e"
