"""Elementwise instructions: ufuncs, operators on arrays, `np.where`, casts and copies.

Each rule emits one ELEMENTWISE instruction for a node, or returns False and emits nothing.
Invariant: the instruction runs the loop that the eager call runs. Read `exec.lower.inner_loops`
next, which finds the loop.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any

import numpy as np

from dyntrace.exec import elision
from dyntrace.exec.lower import inner_loops
from dyntrace.exec.lower.description import ElementwiseInstruction, Loop
from dyntrace.exec.lower.lowering import Lowering
from dyntrace.graph.kinds import ArrayKind, Kind, NumpyScalarKind, PythonScalarKind
from dyntrace.graph.node import Node
from dyntrace.ops.facts import BY_OPERATOR, UFUNCS
from dyntrace.ops.python.operators import OPERATORS

Rule = Callable[[Lowering, Node], bool]

_POWERS: Mapping[float, np.ufunc] = MappingProxyType(
    {2: np.square, 0.5: np.sqrt, -1: np.reciprocal}
)
NO_REUSE = (False, False)


def lower_ufunc(lowering: Lowering, node: Node) -> bool:
    """A call of a ufunc with its inputs only."""
    ufunc: Any = node.op.target
    if node.kwargs or len(node.args) != ufunc.nin or ufunc.nout != 1:
        return False
    return lower_loop(lowering, node, ufunc, node.args)


def lower_operator(lowering: Lowering, node: Node) -> bool:
    """An operator on an array, or on NumPy's floats if it gives there what the loop gives."""
    ufunc = BY_OPERATOR[node.op.target]
    if not any(isinstance(_kind(value), ArrayKind) for value in node.args):
        if not UFUNCS[ufunc].scalars or not _is_float(node.kind):
            return False
    return lower_loop(lowering, node, ufunc, node.args)


def lower_power(lowering: Lowering, node: Node) -> bool:
    """`x ** 2` and other constant exponents; NumPy computes some of them by other ufuncs."""
    base, exponent = node.args
    kind = _kind(base)
    if type(exponent) not in (int, float) or not isinstance(kind, ArrayKind):
        return False
    if kind.dtype.char not in "fdg" or exponent in (0, 1):
        return False
    ufunc = _POWERS.get(exponent)
    if ufunc is None:
        return lower_loop(lowering, node, np.power, node.args)
    return lower_loop(lowering, node, ufunc, (base,))


def _is_float(kind: Kind) -> bool:
    return isinstance(kind, NumpyScalarKind) and kind.dtype.char in "fd"


def _kind(value: Any) -> Kind | None:
    return value.kind if isinstance(value, Node) else None


def dtype_of(value: Any) -> Any:
    """The dtype of an operand, or the type of a Python number; None for other values."""
    kind = value.kind if isinstance(value, Node) else None
    if isinstance(kind, (ArrayKind, NumpyScalarKind)):
        return kind.dtype
    found = kind.type if isinstance(kind, PythonScalarKind) else type(value)
    if found is bool:
        return np.dtype(bool)
    return found if found in (int, float, complex) else None


def has_none(values: Any) -> bool:
    """Whether an item is None. `None in values` would not do: `np.dtype(float) == None` holds."""
    for value in values:
        if value is None:
            return True
    return False


def result_dtype(kind: Kind) -> np.dtype[Any] | None:
    """The dtype of a node's result, if it is an array or a NumPy scalar."""
    return kind.dtype if isinstance(kind, (ArrayKind, NumpyScalarKind)) else None


def lower_loop(lowering: Lowering, node: Node, ufunc: np.ufunc, args: tuple[Any, ...]) -> bool:
    """Emit one loop over the operands; False if an operand or the loop is not the machine's."""
    dtypes = tuple(map(dtype_of, args))
    wanted = result_dtype(node.kind)
    regs = [lowering.operand(value) for value in args]
    if wanted is None or has_none(dtypes) or has_none(regs):
        return False
    if ufunc not in UFUNCS or (UFUNCS[ufunc].long_ints and int in dtypes):
        return False
    loop = inner_loops.elementwise(ufunc, (*dtypes, None), "same_kind")
    if loop is None or loop.dtypes[-1] != wanted or not _has_arrays(node, args):
        return False
    emit_loop(lowering, node, loop, tuple(regs), dtypes)  # type: ignore[arg-type]
    return True


def _has_arrays(node: Node, args: tuple[Any, ...]) -> bool:
    """Whether an operand is NumPy's; the machine is no faster on Python numbers alone."""
    for value in args:
        if isinstance(value, Node) and isinstance(value.kind, (ArrayKind, NumpyScalarKind)):
            return True
    return False


def emit_loop(
    lowering: Lowering,
    node: Node,
    loop: Loop,
    regs: tuple[int, ...],
    dtypes: tuple[Any, ...],
    *,
    copies: bool = False,
) -> None:
    """Emit an elementwise instruction for the result of `node`."""
    lowering.segment.overflows |= any(map(inner_loops.may_overflow, dtypes, loop.dtypes))
    outs, from_outside = (lowering.declare(node),), outside(lowering, node)
    lowering.emit(
        ElementwiseInstruction(regs, outs, loop, reuses(node), from_outside, False, copies)
    )


def emit_plain_loop(
    lowering: Lowering, loop: Loop, regs: tuple[int, ...], out: int, *, inplace: bool = False
) -> None:
    """Emit an elementwise instruction that reuses no temporary, into register `out`."""
    lowering.emit(
        ElementwiseInstruction(regs, (out,), loop, NO_REUSE, NO_REUSE, inplace, copies=False)
    )


def reuses(node: Node) -> tuple[bool, bool]:
    """For each of two operands: whether eager may compute into it if it is a large temporary."""
    temporaries = elision.reusable_operands(node)
    if not temporaries or len(node.args) != 2:
        return NO_REUSE
    found = [False, False]
    for index in temporaries:
        temporary, other = dtype_of(node.args[index]), dtype_of(node.args[1 - index])
        found[index] = _may_reuse(node.op.target, temporary, other)
    return found[0], found[1]


def _may_reuse(target: Any, temporary: Any, other: Any) -> bool:
    if not isinstance(temporary, np.dtype):
        return False  # a Python number has no memory to compute into
    beside = other if isinstance(other, np.dtype) else np.dtype(other)
    return elision.keeps_dtype(target, temporary, beside)


def outside(lowering: Lowering, node: Node) -> tuple[bool, bool]:
    """For each of two operands: whether it came from outside the region."""
    if len(node.args) != 2:
        return NO_REUSE
    first, second = (value in lowering.inputs for value in node.args)
    return first, second


# Others -------------------------------------------------------------------------------------------
def lower_where(lowering: Lowering, node: Node) -> bool:
    """`np.where(condition, x, y)` with a condition of bools."""
    if len(node.args) != 3 or node.kwargs or dtype_of(node.args[0]) != np.dtype(bool):
        return False
    wanted = result_dtype(node.kind)
    dtypes = tuple(map(dtype_of, node.args))
    regs = [lowering.operand(value) for value in node.args]
    if wanted is None or has_none(dtypes) or has_none(regs) or not isinstance(node.kind, ArrayKind):
        return False
    if not all(inner_loops.can_cast(dtype, wanted) for dtype in dtypes[1:]) or _narrows(
        dtypes, wanted
    ):
        return False
    loop = inner_loops.machine_loop("where", (np.dtype(bool), wanted, wanted, wanted))
    emit_loop(lowering, node, loop, tuple(regs), dtypes)  # type: ignore[arg-type]
    return True


def _narrows(dtypes: tuple[Any, ...], wanted: np.dtype[Any]) -> bool:
    """Whether NumPy would check a Python float against the range of a narrow dtype."""
    return wanted.char in "eF" and float in dtypes


def lower_astype(lowering: Lowering, node: Node) -> bool:
    """`x.astype(dtype)` where the machine has the cast."""
    source, wanted = dtype_of(node.args[0]), result_dtype(node.kind)
    if len(node.args) != 2 or node.kwargs or wanted is None or not isinstance(source, np.dtype):
        return False
    if not inner_loops.can_cast(source, wanted):
        return False
    return _lower_copy(lowering, node, source, wanted)


def lower_copy(lowering: Lowering, node: Node) -> bool:
    """`np.copy(x)`, which keeps the order of memory."""
    source = dtype_of(node.args[0])
    if len(node.args) != 1 or node.kwargs:
        return False
    return _lower_copy(lowering, node, source, source)


def _lower_copy(lowering: Lowering, node: Node, source: Any, wanted: np.dtype[Any]) -> bool:
    """A copy of equal ndim; a subarray dtype (`x.astype("2f")`) adds axes, and is left to NumPy."""
    kind, result = _kind(node.args[0]), node.kind
    if not isinstance(kind, ArrayKind) or not isinstance(result, ArrayKind):
        return False
    if result.ndim != kind.ndim:
        return False
    reg = lowering.operand(node.args[0])
    assert reg is not None
    loop = inner_loops.machine_loop("copy", (wanted, wanted))
    emit_loop(lowering, node, loop, (reg,), (source,), copies=True)
    return True


def lower_clip(lowering: Lowering, node: Node) -> bool:
    """`np.clip(x, low, high)` with both limits."""
    if len(node.args) != 3 or node.kwargs or not isinstance(_kind(node.args[0]), ArrayKind):
        return False
    kind = node.args[0].kind
    if kind.dtype.kind not in "f" or any(dtype_of(value) is None for value in node.args):
        return False
    return lower_loop(lowering, node, inner_loops.CLIP, node.args)


ELEMENTWISE_RULES: Mapping[str, Rule] = MappingProxyType(
    {
        **{
            f"operator.{name}": lower_operator
            for name, target in OPERATORS.items()
            if target in BY_OPERATOR
        },
        "operator.pow": lower_power,
        "numpy.where": lower_where,
        "ndarray.astype": lower_astype,
        "numpy.copy": lower_copy,
        "numpy.clip": lower_clip,
        "ndarray.clip": lower_clip,
    }
)
