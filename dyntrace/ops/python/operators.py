"""Python's operators on arrays, NumPy scalars and Python numbers.

The targets are functions of `operator`, so Python numbers keep CPython's arithmetic, and arrays use
the slots (and fast paths such as `x ** 2`) that the instruction uses. Operands that are neither
arrays nor numbers are refused. Subscripts are in `ops.numpy.indexing`.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any

from dyntrace import breaks
from dyntrace.graph.kinds import (
    NUMERIC_KINDS,
    ArrayKind,
    Kind,
    PythonScalarKind,
    SequenceKind,
    leaves,
)
from dyntrace.graph.node import Op
from dyntrace.ops.call import NumpyCall, Refused
from dyntrace.ops.facts import BY_INPLACE, BY_OPERATOR
from dyntrace.ops.probe import DATA, probing
from dyntrace.ops.registry import (
    Infer,
    Record,
    add_callable,
    add_operator,
    operator_record,
)
from dyntrace.record import replace

_INPLACE = MappingProxyType({ufunc: target for target, ufunc in BY_INPLACE.items()})
_BINARY = tuple([(f.__name__, f, ufunc) for f, ufunc in BY_OPERATOR.items() if ufunc.nin == 2])
# By the name of the record; operators without a ufunc of their own come last.
BINARY: Mapping[str, tuple[Callable[..., Any], Callable[..., Any] | None]] = MappingProxyType(
    {
        **{name.rstrip("_"): (target, _INPLACE.get(ufunc)) for name, target, ufunc in _BINARY},
        "pow": (operator.pow, operator.ipow),
        "matmul": (operator.matmul, operator.imatmul),
        "contains": (operator.contains, None),
    }
)
SYMBOLS = MappingProxyType({"<": "lt", "<=": "le", "==": "eq", "!=": "ne", ">": "gt", ">=": "ge"})
UNARY: Mapping[str, Callable[..., Any]] = MappingProxyType(
    {
        "negative": operator.neg,
        "positive": operator.pos,
        "invert": operator.invert,
        "abs": operator.abs,
    }
)
OPERATORS: Mapping[str, Callable[..., Any]] = MappingProxyType(
    {**{name: plain for name, (plain, _) in BINARY.items()}, **UNARY}
)


def operands_only(infer: Infer) -> Infer:
    """Refuse operands other than arrays, numbers, and sequences of these beside an array."""

    def checked(call: NumpyCall) -> Kind:
        kinds = [operand.kind for operand in call.args]
        others = [kind for kind in kinds if not isinstance(kind, NUMERIC_KINDS)]
        if len(others) == len(kinds):
            raise Refused(breaks.OBJECT_OPERAND)
        for kind in others:
            _check(kind, kinds)
        return infer(call)

    return checked


def _check(kind: Kind, kinds: list[Kind]) -> None:
    beside_array = any(isinstance(other, ArrayKind) for other in kinds)
    if not isinstance(kind, SequenceKind) or kind.type not in (tuple, list) or not beside_array:
        raise Refused(breaks.OBJECT_OPERAND, type(kind).__name__)
    for leaf in leaves(kind):
        if not isinstance(leaf, (*NUMERIC_KINDS, SequenceKind)):
            raise Refused(breaks.OBJECT_OPERAND, "an item of the sequence")
        if isinstance(leaf, PythonScalarKind) and leaf.type is int:  # the size decides the dtype
            raise Refused(breaks.UNFORESEEN, "integers in a sequence")


def power(infer: Infer, squares: Infer) -> Infer:
    """`**`: the exponent's value decides the kind; infer from its example, since a check follows.

    `int ** int` is a float for a negative exponent, and `array ** 2` is `np.square(array)`.
    """

    def checked(call: NumpyCall) -> Kind:
        kinds = [operand.kind for operand in call.args]
        if len(kinds) != 2:
            raise Refused(breaks.UNFORESEEN)
        example = getattr(kinds[1], "example", None)
        if all(isinstance(kind, PythonScalarKind) and kind.type in (int, bool) for kind in kinds):
            return PythonScalarKind(float if example is not None and example < 0 else int)
        return squares(call) if type(example) is int and example == 2 else infer(call)

    return checked


def written_in_place(infer: Infer) -> Infer:
    """Refuse an in-place operator on an array unless the result has the array's kind."""

    def checked(call: NumpyCall) -> Kind:
        found, target = infer(call), call.args[0].kind
        if not isinstance(target, ArrayKind):
            return found
        if found != target:
            raise Refused(breaks.UNFORESEEN)
        return target

    return checked


def _register_binary(name: str, plain: Any, inplace: Any) -> None:
    exact, blas = name != "pow", name == "matmul"
    style = "call" if name == "contains" else "infix"
    op = Op(f"operator.{name}", plain, "operator", style, exact=exact, blas=blas)
    record = Record(op, _inference(op))
    add_operator(name, False, record)
    add_callable(plain, record)
    if inplace is None:
        return
    op = Op(
        f"operator.i{name}", inplace, "operator", "inplace", exact=exact, writes=(0,), blas=blas
    )
    record = Record(op, written_in_place(_inference(op)))
    add_operator(name, True, record)
    add_callable(inplace, record)


def _inference(op: Op) -> Infer:
    infer = operands_only(probing(op, DATA))
    if op.target not in (operator.pow, operator.ipow):
        return infer
    return power(infer, operands_only(probing(op, replace(DATA, number=2))))


def _register_unary(name: str, target: Any) -> None:
    style = "call" if name == "abs" else "prefix"
    op = Op(f"operator.{name}", target, "operator", style, exact=True)
    record = Record(op, operands_only(probing(op, DATA)))
    add_operator(name, False, record)
    add_callable(target, record)


def _register() -> None:
    for name, (plain, inplace) in BINARY.items():
        _register_binary(name, plain, inplace)
    for name, target in UNARY.items():
        _register_unary(name, target)
    for symbol, name in SYMBOLS.items():
        add_operator(symbol, False, operator_record(name))


_register()
