"""One rule for all ufuncs, of NumPy, SciPy or any other library, and for the ufunc methods.

The rule is found by the type `np.ufunc`; a probe of the ufunc gives the dtypes of its results.
Ufuncs that have only object loops (`np.frompyfunc`) call Python code and are refused. Operators are
in `ops.python.operators`, and facts about NumPy's ufuncs in `ops.facts`.
"""

from __future__ import annotations

import types
from collections.abc import Callable, Mapping
from functools import cache
from types import MappingProxyType
from typing import Any

import numpy as np

from dyntrace import breaks
from dyntrace.graph.identity import has_numeric_loop
from dyntrace.graph.kinds import (
    ArrayKind,
    Kind,
    NumpyScalarKind,
    PythonScalarKind,
    SequenceKind,
    leaves,
)
from dyntrace.graph.node import Op
from dyntrace.ops.call import NumpyCall, Refused
from dyntrace.ops.facts import UFUNCS
from dyntrace.ops.probe import DATA, Parameters, probing
from dyntrace.ops.registry import Record, Treatment, add_rule, object_treatment

_BLAS = frozenset("matmul vecdot matvec vecmat".split())
_STATIC = frozenset("axis axes keepdims casting order subok dtype signature sig".split())
_CALL = Parameters(static=_STATIC, booleans=False)
OBJECT_LOOPS = Treatment("break", breaks.CALLBACK.code)
_METHODS = MappingProxyType(
    {
        "reduce": Parameters(
            ("array", "axis", "dtype", "out", "keepdims", "initial", "where"), _STATIC, False
        ),
        "accumulate": Parameters(("array", "axis", "dtype", "out"), _STATIC, False),
        "reduceat": Parameters(("array", "indices", "axis", "dtype", "out"), _STATIC, False),
        "outer": DATA,
        "resolve_dtypes": Parameters(("dtypes",), _STATIC),
        "at": DATA,
    }
)
_WRITES: Mapping[str, tuple[int | str, ...]] = MappingProxyType(
    {
        "reduce": (3, "out"),
        "accumulate": (3, "out"),
        "reduceat": (4, "out"),
        "outer": ("out",),
        "resolve_dtypes": (),
        "at": (0,),
    }
)


def ufunc_record(ufunc: np.ufunc) -> Record | Treatment:
    """The record of calling `ufunc`, cached; the treatment of a ufunc with object loops only."""
    return _numeric_record(ufunc) if has_numeric_loop(ufunc) else OBJECT_LOOPS


@cache
def _numeric_record(ufunc: np.ufunc) -> Record:
    outs = tuple(range(ufunc.nin, ufunc.nin + ufunc.nout))
    op = Op(
        qualified_name(ufunc),
        ufunc,
        "ufunc",
        exact=True,
        writes=(*outs, "out"),
        blas=ufunc.__name__ in _BLAS,
    )
    infer = _without_size_dependence(_without_objects(probing(op, _CALL)), ufunc)
    return Record(op, _without_lost_results(infer, ufunc))


def ufunc_method_record(ufunc: np.ufunc, name: str) -> Record | Treatment | None:
    """The record of `ufunc.reduce`, `.accumulate`, `.reduceat`, `.outer` or `.at`."""
    if name not in _METHODS:
        return None
    return _numeric_method(ufunc, name) if has_numeric_loop(ufunc) else OBJECT_LOOPS


@cache
def _numeric_method(ufunc: np.ufunc, name: str) -> Record:
    target = getattr(ufunc, name)
    op = Op(f"{qualified_name(ufunc)}.{name}", target, "ufunc", writes=_WRITES[name])
    return Record(op, _without_objects(probing(op, _METHODS[name])))


def qualified_name(ufunc: np.ufunc) -> str:
    """The name with its module: "numpy.add", "scipy.special.expit"."""
    if getattr(np, ufunc.__name__, None) is ufunc:
        return f"numpy.{ufunc.__name__}"
    module = getattr(ufunc, "__module__", None)
    return f"{module}.{ufunc.__name__}" if type(module) is str else ufunc.__name__


def _without_objects(infer: Callable[[NumpyCall], Kind]) -> Callable[[NumpyCall], Kind]:
    """Refuse `dtype=object`, with which a probe would run Python operators."""

    def checked(call: NumpyCall) -> Kind:
        for name in ("dtype", "signature", "sig"):
            if name in call.kwargs and _asks_for_objects(call.kwargs[name].read()):
                raise Refused(breaks.NOT_NUMERIC, name)
        return infer(call)

    return checked


def _without_size_dependence(
    infer: Callable[[NumpyCall], Kind], ufunc: np.ufunc
) -> Callable[[NumpyCall], Kind]:
    """Refuse a call whose result's dtype depends on the size of a Python int.

    It does for ints without an array or a NumPy scalar beside them, and for ints in a list. It does
    not if a ufunc of one int gives a float.
    """

    def checked(call: NumpyCall) -> Kind:
        found = infer(call)
        kinds = [operand.kind for operand in call.args]
        if any(holds_int(kind) for kind in kinds if isinstance(kind, SequenceKind)):
            raise Refused(breaks.UNFORESEEN, "integers in a sequence")
        beside = any(isinstance(kind, (ArrayKind, NumpyScalarKind)) for kind in kinds)
        if not beside and any(holds_int(kind) for kind in kinds):
            inexact = isinstance(found, NumpyScalarKind) and found.dtype.kind in "fc"
            if len(kinds) > 1 or not inexact or (ufunc in UFUNCS and UFUNCS[ufunc].keeps_ints):
                raise Refused(breaks.UNFORESEEN, "Python integers only")
        return found

    return checked


def holds_int(kind: Kind) -> bool:
    """Whether `kind`, or an item of it, is a Python int."""
    return any(isinstance(leaf, PythonScalarKind) and leaf.type is int for leaf in leaves(kind))


def _without_lost_results(
    infer: Callable[[NumpyCall], Kind], ufunc: np.ufunc
) -> Callable[[NumpyCall], Kind]:
    """Refuse `out` for ufuncs that leave a strided `out` unwritten in some NumPy builds."""

    def checked(call: NumpyCall) -> Kind:
        if len(call.args) > ufunc.nin or "out" in call.kwargs:
            raise Refused(breaks.MAY_FAIL_HALF_WAY, "out")
        return infer(call)

    return checked if ufunc in UFUNCS and UFUNCS[ufunc].lossy_out else infer


def _asks_for_objects(value: Any) -> bool:
    try:
        return bool(np.dtype(_dtype_of(value)).hasobject)
    except Exception as error:  # not a dtype; the call raises the same
        raise Refused(breaks.UNFORESEEN, type(error).__name__) from error


def _dtype_of(value: Any) -> Any:
    if isinstance(value, str) and "->" in value:
        return object if "O" in value else float
    if isinstance(value, tuple):
        return object if any(item in (object, "O") for item in value) else float
    return value


def _bound(target: Any) -> Record | Treatment | None:
    owner = target.__self__
    if type(owner) is np.ufunc:
        return ufunc_method_record(owner, target.__name__)
    return object_treatment(type(owner))


add_rule(np.ufunc, ufunc_record)
add_rule(types.BuiltinFunctionType, _bound)
add_rule(types.MethodType, _bound)
