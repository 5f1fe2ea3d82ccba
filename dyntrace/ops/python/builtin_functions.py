"""Python's built-ins and `math` on arrays and numbers, where they are pure.

The targets are the built-ins, so numbers keep CPython's semantics. If one raises (`float` of two
items, `math.sqrt(-1)`), the region deopts. `len`, `min`, `max` and `sum` are captured for arguments
whose result's kind is certain; iterators and keys are refused. Operators are in
`ops.python.operators`.
"""

from __future__ import annotations

import builtins
import cmath
import math
import operator
import types
from collections.abc import Callable, Mapping
from functools import partial
from types import MappingProxyType
from typing import Any

import numpy as np

from dyntrace import breaks
from dyntrace.graph.kinds import (
    NUMERIC_KINDS,
    SCALAR_KINDS,
    ArrayKind,
    Kind,
    SequenceKind,
    StringKind,
    leaves,
)
from dyntrace.graph.node import Op
from dyntrace.ops.call import NumpyCall, Refused
from dyntrace.ops.probe import DATA, probing
from dyntrace.ops.python.operators import operands_only
from dyntrace.ops.quiet import WouldWarn
from dyntrace.ops.registry import Infer, Record, add_callable, add_operator


def truth(value: Any) -> bool:
    """`bool(value)`; raises WouldWarn for an empty array, as older NumPy versions warn."""
    if type(value) is np.ndarray and value.size == 0:
        raise WouldWarn
    return bool(value)


def falsehood(value: Any) -> bool:
    """`not value`."""
    return not truth(value)


def one_number(infer: Infer) -> Infer:
    """`float(a)` and the like: refuse arrays with axes, for which NumPy warns or raises."""

    def checked(call: NumpyCall) -> Kind:
        for operand in call.args:
            if isinstance(operand.kind, ArrayKind) and operand.kind.ndim:
                raise Refused(breaks.ALWAYS_WARNS)
            if not isinstance(operand.kind, (*NUMERIC_KINDS, StringKind)):
                raise Refused(breaks.OBJECT_OPERAND)
        return infer(call)

    return checked


def one_kind(infer: Infer) -> Infer:
    """`min` and `max`: refuse numbers of several kinds, since the result's kind is not known."""

    def checked(call: NumpyCall) -> Kind:
        if call.kwargs or not call.args:
            raise Refused(breaks.UNFORESEEN)
        operands = call.args if len(call.args) > 1 else call.args[0].items
        kinds = {operand.kind for operand in operands}
        if len(kinds) != 1 or not isinstance(next(iter(kinds)), SCALAR_KINDS):
            raise Refused(breaks.UNFORESEEN)
        return infer(call)

    return checked


def finite_sequence(infer: Infer) -> Infer:
    """`len` and `sum`: a tuple or list of numbers and arrays, or an array."""

    def checked(call: NumpyCall) -> Kind:
        if not call.args or not isinstance(call.args[0].kind, (ArrayKind, SequenceKind)):
            raise Refused(breaks.OBJECT_OPERAND)
        for operand in (*call.args, *call.kwargs.values()):
            if not all(isinstance(k, (*NUMERIC_KINDS, SequenceKind)) for k in leaves(operand.kind)):
                raise Refused(breaks.OBJECT_OPERAND)
        return infer(call)

    return checked


def scalars_only(infer: Infer) -> Infer:
    """`math`: numbers of Python and NumPy, 0-d arrays, and tuples and lists of numbers."""

    def checked(call: NumpyCall) -> Kind:
        for operand in (*call.args, *call.kwargs.values()):
            for kind in leaves(operand.kind):
                if isinstance(kind, ArrayKind) and kind.ndim:
                    raise Refused(breaks.ALWAYS_WARNS)
                if not isinstance(kind, (*NUMERIC_KINDS, SequenceKind)):
                    raise Refused(breaks.OBJECT_OPERAND)
        return infer(call)

    return checked


_FUNCTIONS: Mapping[Any, tuple[Callable[[Infer], Infer], bool]] = MappingProxyType(
    {  # function: (check, exact)
        builtins.abs: (operands_only, True),
        builtins.divmod: (operands_only, True),
        builtins.pow: (operands_only, False),
        builtins.round: (operands_only, False),
        builtins.float: (one_number, True),
        builtins.int: (one_number, True),
        builtins.complex: (one_number, True),
        builtins.min: (one_kind, False),
        builtins.max: (one_kind, False),
        builtins.len: (finite_sequence, True),
        builtins.sum: (finite_sequence, False),
    }
)


def _record(name: str, target: Any, check: Any, exact: bool) -> Record:
    op = Op(name, target, "builtin", exact=exact)
    return Record(op, check(probing(op, DATA)))


def _register_all() -> None:
    for function, (check, exact) in _FUNCTIONS.items():
        add_callable(function, partial(_record, function.__name__, function, check, exact))
    add_callable(bool, partial(_record, "bool", truth, operands_only, True))
    for module in (math, cmath):
        for name, function in vars(module).items():
            if isinstance(function, types.BuiltinFunctionType):
                name = f"{module.__name__}.{name}"
                add_callable(function, partial(_record, name, function, scalars_only, True))
    negation = _record("operator.not_", falsehood, operands_only, True)
    add_callable(operator.not_, negation)
    add_operator("not", False, negation)


_register_all()
