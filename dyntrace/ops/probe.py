"""The default inference: call the real function on small stand-ins and describe the result.

Invariant: a probe runs only NumPy's code (operands are arrays of plain dtypes, scalars and
constants) and has no side effect. Floating-point errors are ignored while it runs. A warning
becomes a refusal and does not touch the warning registries. Answers are cached per operation and
signature of the operands. Parameters named in STATIC are read, so their values are guarded. Other
Python numbers stay dynamic, and stand-ins replace them. Read `ops.numpy.functions` next.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterable, Mapping
from types import MappingProxyType
from typing import Any

import numpy as np

from dyntrace import breaks
from dyntrace.graph.describe import describe
from dyntrace.graph.kinds import (
    ArrayKind,
    FunctionKind,
    Kind,
    KnownKind,
    NumpyScalarKind,
    ObjectKind,
    PythonScalarKind,
    SequenceKind,
    SliceKind,
    StringKind,
    has_unseen_items,
    is_array_subclass,
    is_not_numeric,
    type_name,
)
from dyntrace.graph.node import Op
from dyntrace.ops.call import NumpyCall, Operand, Refused
from dyntrace.record import record

STATIC = frozenset(
    """axis axes axis1 axis2 axisa axisb axisc source destination ndmin indices_or_sections ind
    keepdims ord deg ndim offset""".split()
)
CACHE_LIMIT = 4096
SMALL = 64  # a larger example could make a probe slow


@record(frozen=True)
class StandIn:
    """The stand-ins of one attempt.

    side    the length of each axis of an array
    number  the value of a Python number; None: its kind's example
    """

    side: int
    number: int | None = 1


PLANS = (StandIn(3), StandIn(1), StandIn(2, None), StandIn(8, None), StandIn(1, 0))
_SCALAR_STAND_INS: Mapping[type, Callable[[int], Any]] = MappingProxyType(
    {
        bool: bool,
        int: int,
        float: float,
        complex: complex,
    }
)


@record(frozen=True)
class Parameters:
    """Names of positional parameters, and which parameters the trace reads.

    names    positional parameter names; the last repeats if it starts with "*"
    static   parameters whose numbers are read and guarded
    booleans whether Python bools are read: in most functions they are switches, not data
    number   the first value that stands in for a Python number
    sides    the lengths of stand-ins' axes, to be tried in order; (): those of `PLANS`
    """

    names: tuple[str, ...] = ()
    static: frozenset[str] = STATIC
    booleans: bool = True
    number: int = 1
    sides: tuple[int, ...] = ()

    def name(self, position: int) -> str:
        """The name of the positional argument at `position`, or "" if it has none."""
        if position < len(self.names):
            return self.names[position].lstrip("*")
        last = self.names[-1] if self.names else ""
        return last.lstrip("*") if last.startswith("*") else ""

    def plans(self) -> tuple[StandIn, ...]:
        """The stand-ins to try, in order."""
        if self.sides:
            return tuple(StandIn(side, self.number) for side in self.sides)
        return (StandIn(2, self.number), *PLANS)


USUAL = Parameters()
DATA = Parameters(static=frozenset(), booleans=False)  # every number is data, nothing is read


def probing(op: Op, parameters: Parameters = USUAL) -> Callable[[NumpyCall], Kind]:
    """An `infer` that probes `op.target`."""
    answers: dict[Any, Kind] = {}

    def infer(call: NumpyCall) -> Kind:
        key = _signature(call, parameters)
        found = answers.get(key)
        if found is None:
            found, cacheable = probe(op.target, call, parameters, parameters.plans())
            if cacheable and len(answers) < CACHE_LIMIT:
                answers[key] = found
        return found

    return infer


def probe(
    target: Callable[..., Any], call: NumpyCall, parameters: Parameters, plans: Iterable[StandIn]
) -> tuple[Kind, bool]:
    """The kind of `target`'s result, and whether it holds for all numbers of the same types.

    Raises Refused if the function accepts none of the stand-ins: UNFORESEEN, or ALWAYS_WARNS if the
    last attempt warned.
    """
    failure, found = "", breaks.UNFORESEEN
    for plan in plans:
        args, kwargs = _stand_ins(call, parameters, plan)
        try:
            result = run_silently(target, args, kwargs)
        except Exception as error:  # NumPy may raise anything; the next stand-ins may be accepted
            failure = f"{type(error).__name__}: {error}"
            found = breaks.ALWAYS_WARNS if isinstance(error, Warning) else breaks.UNFORESEEN
            continue
        return generalise(describe(result)), plan.number is not None
    raise Refused(found, failure)


def run_silently(target: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """Call with floating-point errors ignored and any warning raised as an exception.

    The filter is inserted without `warnings._filters_mutated`, so no module's registry of shown
    warnings is emptied. It matches only frames of this package and of NumPy.
    """
    filters: list[Any] = warnings.filters  # type: ignore[assignment]
    filters.insert(0, _RAISE_HERE)
    try:
        with np.errstate(all="ignore"):
            return target(*args, **kwargs)
    finally:
        filters.remove(_RAISE_HERE)


class _Here:
    """The modules that a warnings filter holds for; replaces a compiled regular expression."""

    @staticmethod
    def match(module: str) -> bool:
        return module.startswith(("dyntrace.ops.", "numpy.")) or module == "numpy"


_RAISE_HERE = ("error", None, Warning, _Here, 0)


def generalise(kind: Kind) -> Kind:
    """`kind` without the stand-ins' values; raises Refused for a kind that a region cannot hold."""
    match kind:
        case PythonScalarKind():
            return PythonScalarKind(kind.type)
        case SequenceKind():
            return SequenceKind(kind.type, tuple(generalise(item) for item in kind.items))
        case SliceKind():
            return SliceKind(*(generalise(k) for k in (kind.start, kind.stop, kind.step)))
        case ObjectKind(type=kind_type) if kind_type is np.ndarray:
            raise Refused(breaks.NOT_NUMERIC, "the result")
        case KnownKind(value=np.dtype() as dtype) if np.dtype(dtype.char) is not dtype:
            return ObjectKind(type(dtype))
    return kind


def _stand_ins(
    call: NumpyCall, parameters: Parameters, plan: StandIn
) -> tuple[tuple[Any, ...], dict[str, Any]]:
    args = tuple(
        stand_in(operand, plan, parameters, parameters.name(position))
        for position, operand in enumerate(call.args)
    )
    kwargs = {
        name: stand_in(operand, plan, parameters, name) for name, operand in call.kwargs.items()
    }
    return args, kwargs


def stand_in(operand: Operand, plan: StandIn, parameters: Parameters, name: str = "") -> Any:
    """A small value of the operand's kind, or the value itself if the parameter is read."""
    match operand.kind:
        case ArrayKind(dtype=dtype, ndim=ndim):
            if ndim and name in parameters.static:
                raise Refused(breaks.DATA_DIMENSIONS, name)
            make = zeros_or_true if plan.number == 0 else stand_in_array
            return make(dtype, ndim, plan.side)
        case NumpyScalarKind(dtype=dtype) as kind:
            if is_read(kind, parameters, name):
                return operand.read()
            return dtype.type(plan.number != 0 or dtype.kind == "b")
        case PythonScalarKind(type=scalar) as kind:
            if is_read(kind, parameters, name):
                return operand.read()
            example = kind.example if plan.number is None else plan.number
            small = example is not None and abs(example) <= SMALL
            return _SCALAR_STAND_INS[scalar](example if small else 1)
        case StringKind():
            return operand.read()
        case KnownKind(value=value):
            return constant(value)
        case SequenceKind(type=kind_type) if kind_type in (tuple, list):
            return kind_type(stand_in(item, plan, parameters, name) for item in operand.items)
        case SliceKind() if operand.items:
            return slice(*(stand_in(item, plan, parameters, name) for item in operand.items))
        case other:
            raise Refused(_refusal(other), type_name(other))


def is_read(kind: Kind, parameters: Parameters, name: str) -> bool:
    """Whether the trace reads a number given for parameter `name`."""
    if name in parameters.static:
        return isinstance(kind, (PythonScalarKind, NumpyScalarKind))
    return parameters.booleans and isinstance(kind, PythonScalarKind) and kind.type is bool


def shape_of(ndim: int, side: int) -> tuple[int, ...]:
    """The shape of a stand-in; above six dimensions only the last two have length `side`."""
    return (1,) * (ndim - 2) + (side,) * 2 if ndim > 6 else (side,) * ndim


def zeros_or_true(dtype: np.dtype[Any], ndim: int, side: int) -> np.ndarray[Any, Any]:
    """Zeros, which are in range as indices, or masks that select everything."""
    return np.full(shape_of(ndim, side), dtype.kind == "b", dtype)


def stand_in_array(dtype: np.dtype[Any], ndim: int, side: int) -> np.ndarray[Any, Any]:
    """[0, 1, …] or identity matrices, which can be inverted and are in range as indices."""
    if ndim == 0:
        return np.ones((), dtype)
    if ndim == 1:
        return np.arange(side).astype(dtype)
    found = np.empty(shape_of(ndim, side), dtype)
    found[...] = np.eye(side)
    return found


def constant(value: Any) -> Any:
    """`value`; raises Refused if passing it to NumPy could run the user's Python code."""
    if value is None or value is Ellipsis or isinstance(value, np.dtype):
        return value
    if value is np._NoValue or is_numpy_function(value):
        return value
    if isinstance(value, type):
        if id(value) in _CLASSES:
            return value
        raise Refused(breaks.OBJECT_OPERAND, "a class")
    raise Refused(breaks.CALLBACK)


_ABSTRACT = (np.generic, np.number, np.integer, np.floating, np.inexact, np.complexfloating)
_CLASSES = frozenset(
    id(value)
    for value in (
        *(bool, int, float, complex, np.ndarray, np.signedinteger, np.unsignedinteger),
        *(*_ABSTRACT, *vars(np.dtypes).values(), *np.sctypeDict.values()),
    )
)


def is_numpy_function(value: Any) -> bool:
    """Whether `value` is a NumPy function, which runs no user code as a callback."""
    if type(value) is np.ufunc or type(value) is type(np.sum):
        return getattr(np, value.__name__, None) is value
    return False


def _refusal(kind: Kind) -> breaks.BreakReason:
    if isinstance(kind, FunctionKind):
        return breaks.CALLBACK
    if is_array_subclass(kind):
        return breaks.ARRAY_SUBCLASS
    if is_not_numeric(kind):
        return breaks.NOT_NUMERIC
    return breaks.UNSEEN_ITEMS if has_unseen_items(kind) else breaks.OBJECT_OPERAND


def structure(kind: Kind) -> Any:
    """A key for a kind; it distinguishes the dtypes C long and C long long, which are equal."""
    match kind:
        case ArrayKind(dtype=dtype, ndim=ndim):
            return dtype.char, ndim
        case NumpyScalarKind(dtype=dtype):
            return dtype.char
        case SequenceKind(type=kind_type, items=items):
            return kind_type, tuple(structure(item) for item in items)
        case SliceKind(start=start, stop=stop, step=step):
            return slice, structure(start), structure(stop), structure(step)
    return kind


def _signature(call: NumpyCall, parameters: Parameters) -> Any:
    args = [
        _signature_of(operand, parameters, parameters.name(position))
        for position, operand in enumerate(call.args)
    ]
    if not call.kwargs:
        return tuple(args), ()
    return tuple(args), tuple(
        (name, _signature_of(operand, parameters, name)) for name, operand in call.kwargs.items()
    )


def _number_key(number: Any) -> Any:
    """A key that differs for 0.0 and -0.0. An int is its own key: `repr` of a long one raises."""
    return number if isinstance(number, int) else repr(number)


def _signature_of(operand: Operand, parameters: Parameters, name: str) -> Any:
    kind = operand.kind
    if isinstance(kind, ArrayKind):
        return kind.dtype.char, kind.ndim
    if isinstance(kind, (PythonScalarKind, NumpyScalarKind)):
        if is_read(kind, parameters, name):
            return (kind, _number_key(operand.read()))
        return kind.type if isinstance(kind, PythonScalarKind) else kind.dtype.char
    if isinstance(kind, StringKind):
        return str, operand.read()
    if isinstance(kind, (SequenceKind, SliceKind)):
        items = tuple(_signature_of(item, parameters, name) for item in operand.items)
        return (getattr(kind, "type", slice), items)
    return kind
