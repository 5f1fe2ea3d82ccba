"""Instructions for reductions; means, variances and norms in the steps NumPy takes for them.

Invariant: the machine adds in the order in which NumPy adds. `exec.lower.selftest` tests on this
processor whether it does; if not, the node stays a call.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any, NamedTuple

import numpy as np

from dyntrace.exec.lower import inner_loops, selftest
from dyntrace.exec.lower.description import CountInstruction, ReduceInstruction
from dyntrace.exec.lower.instruction_table import CODES
from dyntrace.exec.lower.lower_elementwise import emit_plain_loop
from dyntrace.exec.lower.lowering import Lowering
from dyntrace.graph.kinds import ArrayKind, NumpyScalarKind
from dyntrace.graph.node import Node

Rule = Callable[[Lowering, Node], bool]
BY_LOOP = CODES["REDUCTION"]["BY_LOOP"]
BY_ARGMAX, BY_ARGMIN = CODES["REDUCTION"]["BY_ARGMAX"], CODES["REDUCTION"]["BY_ARGMIN"]
_SPLIT = CODES["SPLIT"]
WHOLE, TREE, PARTS = _SPLIT["WHOLE"], _SPLIT["TREE"], _SPLIT["PARTS"]
FRAGILE, CHUNKS = _SPLIT["FRAGILE"], _SPLIT["CHUNKS"]


class Reduction(NamedTuple):
    """A reduction of some axes (a bit for each) of the register `source`."""

    source: int
    ndim: int
    axes: int
    keepdims: bool

    def result_ndim(self) -> int:
        """The ndim of the result; -1 for a NumPy scalar."""
        left = self.ndim if self.keepdims else self.ndim - self.axes.bit_count()
        return left if left else -1


def parse(lowering: Lowering, node: Node, allowed: tuple[str, ...] = ()) -> Reduction | None:
    """The reduction that `f(x, axis, keepdims=...)` asks for; None if there are other arguments.

    Arguments named in `allowed` are left to the caller.
    """
    array = node.args[0] if node.args else None
    keywords = dict(node.kwargs)
    if not isinstance(array, Node) or not isinstance(array.kind, ArrayKind) or len(node.args) > 2:
        return None
    axis = node.args[1] if len(node.args) == 2 else keywords.pop("axis", None)
    keepdims = keywords.pop("keepdims", False)
    for name in allowed:
        keywords.pop(name, None)
    axes = _mask(axis, array.kind.ndim)
    if keywords or axes is None or type(keepdims) is not bool or array.kind.ndim == 0:
        return None
    return Reduction(lowering.register_of[array], array.kind.ndim, axes, keepdims)


def _mask(axis: Any, ndim: int) -> int | None:
    """The axes as bits."""
    if axis is None:
        return (1 << ndim) - 1
    given = axis if type(axis) is tuple else (axis,)
    mask = 0
    for one in given:
        if type(one) is not int or not -ndim <= one < ndim or mask >> (one % ndim) & 1:
            return None
        mask |= 1 << (one % ndim)
    return mask or None


def _split(ufunc: np.ufunc, dtype: np.dtype[Any]) -> int:
    if dtype.kind in "biu":
        return PARTS
    if ufunc is np.add:
        if not selftest.adds_in_a_tree("f" if dtype.char == "e" else dtype.char):
            return CHUNKS
        return TREE if dtype.char in "fdFD" else WHOLE
    return FRAGILE if ufunc in (np.maximum, np.minimum) and dtype.char in "fd" else WHOLE


def reduce(
    lowering: Lowering, ufunc: np.ufunc, reduction: Reduction, out: int, wanted: np.dtype[Any]
) -> bool:
    """Emit one reduction into register `out`; False if the machine has no loop for it."""
    source = lowering.dtype(reduction.source)
    assert source is not None
    loop = inner_loops.reduction(ufunc, wanted if wanted.kind != "b" else source)
    if loop is None or loop.dtypes[0] != wanted or not _adds_alike(source, loop.dtypes[1]):
        return False
    if wanted.kind in "fc" and not selftest.reduces_in_lines(ufunc, wanted.char):
        return False
    lowering.emit(
        ReduceInstruction(
            (reduction.source,),
            (out,),
            loop,
            BY_LOOP,
            _split(ufunc, wanted),
            reduction.axes,
            reduction.keepdims,
            inner_loops.identity(ufunc, wanted),
        )
    )
    return True


def _adds_alike(source: np.dtype[Any], target: np.dtype[Any]) -> bool:
    """Whether the cast is harmless: NumPy casts in chunks, which changes sums of floats."""
    return source == target or (target.kind in "biu" and inner_loops.can_cast(source, target))


def plain(ufunc: np.ufunc) -> Rule:
    """The rule of a reduction by one ufunc."""

    def rule(lowering: Lowering, node: Node) -> bool:
        found = parse(lowering, node)
        kind = node.kind
        if found is None or not isinstance(kind, (ArrayKind, NumpyScalarKind)):
            return False
        mark = len(lowering.registers)
        reg = lowering.declare(node)
        if reduce(lowering, ufunc, found, reg, kind.dtype):
            return True
        del lowering.registers[mark:], lowering.register_of[node]
        return False

    return rule


def search(kind: int) -> Rule:
    """The rule of argmax and argmin."""

    def rule(lowering: Lowering, node: Node) -> bool:
        found = parse(lowering, node)
        if found is None or node.kind != _index_kind(found):
            return False
        source = lowering.dtype(found.source)
        if source is None or source.char not in "?bhilqBHILQfd":
            return False
        ins, outs = (found.source,), (lowering.declare(node),)
        lowering.emit(
            ReduceInstruction(ins, outs, None, kind, WHOLE, found.axes, found.keepdims, None)
        )
        return True

    return rule


def _index_kind(found: Reduction) -> ArrayKind | NumpyScalarKind:
    ndim = found.result_ndim()
    index = np.dtype(np.intp)
    return NumpyScalarKind(index) if ndim < 0 else ArrayKind(index, ndim)


# Composed reductions ------------------------------------------------------------------------------
def _floats(
    lowering: Lowering, node: Node, name: str, allowed: tuple[str, ...] = ()
) -> Reduction | None:
    """The reduction of an array of floats to its own dtype, if the steps of `name` hold here."""
    found = parse(lowering, node, allowed)
    kind = node.kind
    if found is None or not isinstance(kind, (ArrayKind, NumpyScalarKind)):
        return None
    char = kind.dtype.char
    if lowering.dtype(found.source) != kind.dtype or char not in "fd":
        return None
    trusted = selftest.reduces_in_lines(np.add, char) and selftest.composes(name, char)
    return found if trusted else None


def apply(
    lowering: Lowering, ufunc: np.ufunc, ins: tuple[int, ...], dtypes: tuple[Any, ...], out: int
) -> None:
    """Emit an elementwise loop for a step of a composed reduction."""
    loop = inner_loops.elementwise(ufunc, (*dtypes, None), "unsafe")
    assert loop is not None
    wanted = lowering.dtype(out)
    assert wanted is not None
    lowering.segment.overflows |= inner_loops.may_overflow(loop.dtypes[-1], wanted)
    emit_plain_loop(lowering, loop, ins, out)


def divide(lowering: Lowering, reduction: Reduction, total: int, less: int, out: int) -> None:
    """Emit `total / (count - less)`, with the count as an `np.intp`, as in NumPy."""
    dtype = lowering.dtype(total)
    count = lowering.new(None, -1)
    lowering.emit(CountInstruction((reduction.source,), (count,), reduction.axes, less))
    apply(lowering, np.true_divide, (total, count), (dtype, np.dtype(np.intp)), out)


def mean_into(lowering: Lowering, reduction: Reduction, out: int) -> None:
    """Emit the mean of floats into register `out`."""
    dtype, ndim = lowering.registers[out]
    total = lowering.new(dtype, ndim)
    reduce(lowering, np.add, reduction, total, dtype)
    divide(lowering, reduction, total, 0, out)


def lower_mean(lowering: Lowering, node: Node) -> bool:
    """`np.mean` of floats: the sum, divided by the number of elements."""
    found = _floats(lowering, node, "mean")
    if found is None:
        return False
    mean_into(lowering, found, lowering.declare(node))
    return True


def variance_into(lowering: Lowering, reduction: Reduction, less: int, out: int) -> None:
    """Emit the mean of squared distances from the mean, in NumPy's order, into register `out`."""
    dtype, ndim = lowering.registers[out]
    mean = lowering.new(dtype, reduction.ndim)
    distance = lowering.new(dtype, reduction.ndim)
    squared = lowering.new(dtype, reduction.ndim)
    total = lowering.new(dtype, ndim)
    mean_into(lowering, reduction._replace(keepdims=True), mean)
    apply(lowering, np.subtract, (reduction.source, mean), (dtype, dtype), distance)
    apply(lowering, np.square, (distance,), (dtype,), squared)
    reduce(lowering, np.add, reduction._replace(source=squared), total, dtype)
    divide(lowering, reduction, total, less, out)


def _less(node: Node) -> int | None:
    less = dict(node.kwargs).get("ddof", 0)
    return less if type(less) is int and less >= 0 else None


def lower_variance(lowering: Lowering, node: Node) -> bool:
    """`np.var` of floats."""
    found, less = _floats(lowering, node, "var", ("ddof",)), _less(node)
    if found is None or less is None:
        return False
    variance_into(lowering, found, less, lowering.declare(node))
    return True


def lower_deviation(lowering: Lowering, node: Node) -> bool:
    """`np.std` of floats: the root of the variance."""
    found, less = _floats(lowering, node, "std", ("ddof",)), _less(node)
    if found is None or less is None:
        return False
    out = lowering.declare(node)
    dtype, ndim = lowering.registers[out]
    variance = lowering.new(dtype, ndim)
    variance_into(lowering, found, less, variance)
    apply(lowering, np.sqrt, (variance,), (dtype,), out)
    return True


def lower_norm(lowering: Lowering, node: Node) -> bool:
    """`np.linalg.norm(x, axis=...)` of vectors of floats: the 2-norm."""
    keywords = dict(node.kwargs)
    if type(keywords.get("axis")) is not int or keywords.get("ord", None) not in (None, 2):
        return False
    found = _floats(lowering, node, "norm", ("ord",)) if len(node.args) == 1 else None
    if found is None:
        return False
    out = lowering.declare(node)
    dtype, ndim = lowering.registers[out]
    squared, total = lowering.new(dtype, found.ndim), lowering.new(dtype, ndim)
    apply(lowering, np.multiply, (found.source, found.source), (dtype, dtype), squared)
    reduce(lowering, np.add, found._replace(source=squared), total, dtype)
    apply(lowering, np.sqrt, (total,), (dtype,), out)
    return True


_PLAIN = MappingProxyType(
    {
        "sum": np.add,
        "prod": np.multiply,
        "max": np.maximum,
        "min": np.minimum,
        "amax": np.maximum,
        "amin": np.minimum,
        "any": np.logical_or,
        "all": np.logical_and,
    }
)
_COMPOSED: Mapping[str, Rule] = MappingProxyType(
    {
        "mean": lower_mean,
        "var": lower_variance,
        "std": lower_deviation,
        "argmax": search(BY_ARGMAX),
        "argmin": search(BY_ARGMIN),
        **{name: plain(ufunc) for name, ufunc in _PLAIN.items()},
    }
)
REDUCTION_RULES: Mapping[str, Rule] = MappingProxyType(
    {
        **{f"numpy.{name}": rule for name, rule in _COMPOSED.items()},
        **{f"ndarray.{name}": rule for name, rule in _COMPOSED.items()},
        "numpy.linalg.norm": lower_norm,
    }
)
