"""Worth: can a region win? An estimate of what its operations cost in CPython and in the region.

CPython is fast at single elements, NumPy's scalars and Python's numbers; the call of a region costs
more than a few of those. Invariant: only what surely loses is refused here. Whatever works on whole
arrays may win, which is measured when it runs (`runtime.trial`). `COSTS` is all the data: medians
in nanoseconds of loops of one statement on CPython 3.11 to 3.13; only their proportions matter.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from types import MappingProxyType
from typing import Any

import numpy as np

from dyntrace.graph.kinds import ArrayKind, NumpyScalarKind
from dyntrace.graph.node import INPUT, Graph, Node
from dyntrace.graph.ownership import operands
from dyntrace.graph.subscripts import index_items, is_basic, is_integer
from dyntrace.ops.facts import BY_OPERATOR, UFUNCS
from dyntrace.record import record
from dyntrace.trace.regions.builder import RegionBuilder

__all__ = ["Estimate", "LeftAlone", "estimate", "may_win", "sized_inputs"]


@record(frozen=True)
class Cost:
    """Nanoseconds: of the original instructions, and of the same inside a region."""

    original: int
    region: int


COSTS = MappingProxyType(
    {
        "call": Cost(0, 120),  # of a region: its stub, its handle, one result
        "argument": Cost(0, 4),
        "guard": Cost(2, 5),
        "element": Cost(38, 26),  # a[i]
        "element of constant index": Cost(38, 14),  # a[0]
        "element of several axes": Cost(75, 28),  # a[i, j]
        "part": Cost(140, 45),  # a[i] = b of arrays: a copy that costs the same on both sides
        "view": Cost(100, 55),  # a[i:j], a[i] of a matrix, a.T
        "float of NumPy": Cost(38, 20),  # + - * / where the machine has instructions for scalars
        "scalar of NumPy": Cost(35, 150),  # other operators, which are calls of Python in a region
        "number of Python": Cost(14, 45),
        "function of a scalar": Cost(95, 45),  # np.sqrt(x)
        "function of scalars": Cost(650, 50),  # np.maximum(x, y)
        "call of Python": Cost(40, 160),  # float(x), math.cos(x)
        "array made of scalars": Cost(250, 370),  # np.array([x, y]), np.zeros(3)
        "passed on": Cost(10, 20),  # shapes, containers
    }
)


@record(frozen=True)
class Estimate:
    """What a call of a region's operations costs in CPython and as a region, in nanoseconds.

    `open` where whole arrays are worked on, so that it depends on their sizes.
    """

    original: int
    region: int
    open: bool

    @property
    def pays(self) -> bool:
        """Whether the region may win, by more than the estimate may be wrong."""
        return self.open or self.original * 10 > self.region * 11


@record(frozen=True)
class LeftAlone:
    """Operations that make no region, since an estimate says that it would lose."""

    lineno: int
    end_lineno: int
    graph: Graph


def may_win(region: RegionBuilder) -> bool:
    """Whether a region may win: at a glance, if one of its last operations is on whole arrays."""
    for node in reversed(region.graph.nodes):
        if class_of(node) is None:
            return True
    return estimate(region).pays


def estimate(region: RegionBuilder) -> Estimate:
    """The estimate for a region as it has been traced."""
    nodes = list(region.graph.nodes)
    if region.graph.effect is not None:
        nodes.append(region.graph.effect)
    names = [*map(class_of, nodes), "call"]
    names += ["argument"] * len(region.arguments) + ["guard"] * len(region.steps)
    found = [COSTS[name] for name in names if name is not None]
    return Estimate(
        sum(cost.original for cost in found), sum(cost.region for cost in found), None in names
    )


def sized_inputs(graph: Graph) -> tuple[int, ...]:
    """The positions of the inputs whose sizes say how much work there is.

    An array of which single elements are read or written is not one.
    """
    nodes = graph.nodes if graph.effect is None else [*graph.nodes, graph.effect]
    working = [node for node in nodes if class_of(node) in (None, "part")]
    found = {base for node in working for base in _looked_into(node)}
    return tuple(place for place, node in enumerate(graph.inputs) if node in found)


def _looked_into(node: Node) -> Iterator[Node]:
    """The inputs that the operands of `node` are, or are views of."""
    waiting, seen = list(operands(node)), set()
    while waiting:
        found = waiting.pop()
        if found in seen:
            continue
        seen.add(found)
        if found.op is INPUT:
            yield found
        elif class_of(found) in ("view", "passed on"):
            waiting += operands(found)


def class_of(node: Node) -> str | None:
    """The name of a node's costs; None for work on whole arrays."""
    rule = _BY_NAME.get(node.op.name) or _BY_FAMILY.get(node.op.family)
    if rule is not None:
        return rule(node)
    if _takes_or_gives_arrays(node):
        return None
    return "call of Python"


def _takes_or_gives_arrays(node: Node) -> bool:
    return any(isinstance(each.kind, ArrayKind) for each in (node, *operands(node)))


def _is_plain(node: Node) -> bool:
    """Whether there are only Python's own numbers and objects in it."""
    kinds = [each.kind for each in (node, *operands(node))]
    return not any(isinstance(kind, ArrayKind | NumpyScalarKind) for kind in kinds)


def _operator(node: Node) -> str | None:
    if _takes_or_gives_arrays(node):
        return None
    if _is_plain(node):
        return "number of Python"
    kind = node.kind
    fast = isinstance(kind, NumpyScalarKind) and kind.dtype.char in "fd"
    return "float of NumPy" if fast and _is_on_scalars(node.op.target) else "scalar of NumPy"


def _is_on_scalars(target: Any) -> bool:
    """Whether the machine computes this operator on scalars as it does on arrays."""
    ufunc = BY_OPERATOR.get(target)
    return ufunc is not None and UFUNCS[ufunc].scalars


def _read(node: Node) -> str | None:
    array, index = node.args
    if not isinstance(array, Node) or not isinstance(array.kind, ArrayKind):
        return "passed on"
    if _is_element(array.kind, index):
        return _element(index)
    return "view" if is_basic(index) else None


def _written(node: Node) -> str | None:
    array, index, value = node.args
    if not isinstance(array, Node) or not isinstance(array.kind, ArrayKind):
        return "passed on"
    if _is_element(array.kind, index):
        return _element(index)
    return "part" if is_basic(index) and _is_array_of(value, array.kind) else None


def _is_array_of(value: Any, target: ArrayKind) -> bool:
    """Whether a value is an array whose items are just copied into `target`."""
    kind = value.kind if isinstance(value, Node) else None
    return isinstance(kind, ArrayKind) and bool(kind.dtype == target.dtype)


def _element(index: Any) -> str:
    if isinstance(index, tuple) and len(index) > 1:
        return "element of several axes"
    constant = not isinstance(index, Node) and index != ()
    return "element of constant index" if constant else "element"


def _is_element(kind: ArrayKind, index: Any) -> bool:
    """Whether a subscript names one element: an int for each axis."""
    items = index_items(index)
    return len(items) == kind.ndim and all(map(is_integer, items))


def _ufunc(node: Node) -> str | None:
    if _takes_or_gives_arrays(node):
        return None
    target = node.op.target
    single = isinstance(target, np.ufunc) and target.nin == 1 and target.nout == 1
    return "function of a scalar" if single else "function of scalars"


def _made(node: Node) -> str | None:
    """An array made of no array: its size is that of a literal, or unknown."""
    if any(isinstance(each.kind, ArrayKind) for each in operands(node)):
        return None
    return "array made of scalars"


def _named(name: str) -> Callable[[Node], str | None]:
    return lambda node: name


Rule = Callable[[Node], str | None]
_BY_NAME: Mapping[str, Rule] = MappingProxyType(
    {
        "operator.getitem": _read,
        "operator.setitem": _written,
        "operator.matmul": lambda node: None,
        **dict.fromkeys(("ndarray.T", "ndarray.transpose", "numpy.transpose"), _named("view")),
        **dict.fromkeys(("ndarray.tolist", "ndarray.item"), _named("call of Python")),
        **dict.fromkeys(("ndarray.reshape", "numpy.reshape", "ndarray.real"), _named("view")),
    }
)
_BY_FAMILY: Mapping[str, Rule] = MappingProxyType(
    {
        "operator": _operator,
        "ufunc": _ufunc,
        "creation": _made,
        **dict.fromkeys(("attribute", "python", "item", "input"), _named("passed on")),
    }
)
