"""How values are held in machine code: the LLVM types of kinds, and arrays by their parts.

A number is a tuple of names: one, or two for a complex number. Invariant: an array's dims and
strides are numbers of their own, so that an element's address needs no memory access. Read
`numbers` for the rules that use them.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

import numpy as np

from dyntrace.breaks import LOOP_OPERATION, BreakReason
from dyntrace.graph.kinds import (
    ArrayKind,
    Kind,
    NumbersKind,
    NumpyScalarKind,
    PythonScalarKind,
    SequenceKind,
)
from dyntrace.graph.node import Node
from dyntrace.record import record

__all__ = ["ArrayParts", "NoRule", "dtype_of", "input_code", "output_code", "scalar_types"]

_BY_CHAR: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "?": ("i1",),
        **dict.fromkeys("bB", ("i8",)),
        **dict.fromkeys("hH", ("i16",)),
        **dict.fromkeys("iI", ("i32",)),
        **dict.fromkeys("lLqQ", ("i64",)),
        "f": ("float",),
        "d": ("double",),
        "F": ("float", "float"),
        "D": ("double", "double"),
    }
)
_PYTHON: Mapping[type, tuple[str, ...]] = MappingProxyType(
    {int: ("i64",), bool: ("i1",), float: ("double",), complex: ("double", "double")}
)
_DTYPES: Mapping[type, str] = MappingProxyType({int: "l", bool: "?", float: "d", complex: "D"})


class NoRule(Exception):
    """Machine code has no form for an operation on these kinds: CPython executes it."""

    def __init__(self, detail: str, lineno: int = 0, reason: BreakReason = LOOP_OPERATION) -> None:
        super().__init__(detail)
        self.reason = reason
        self.detail = detail
        self.lineno = lineno


@record(eq=False)
class ArrayParts:
    """An array: its address, whether it may be written, its lengths, strides in bytes.

    number  the name of the number of the input that the array is, -1 for another one
    """

    pointer: str
    writeable: str
    dims: tuple[str, ...]
    strides: tuple[str, ...]
    number: str


def scalar_types(kind: Kind) -> tuple[str, ...]:
    """The LLVM types of a number or list of this kind; NoRule if machine code does not know it."""
    if isinstance(kind, PythonScalarKind):
        return _PYTHON[kind.type]
    if isinstance(kind, NumpyScalarKind) and kind.dtype.char in _BY_CHAR:
        return _BY_CHAR[kind.dtype.char]
    if isinstance(kind, NumbersKind):
        return ("ptr", "i64")
    raise NoRule(str(getattr(kind, "dtype", type(kind).__name__)))


def element_types(dtype: np.dtype[Any]) -> tuple[str, ...]:
    """The LLVM types of an element of an array; a bool is read as a byte."""
    if dtype.char not in _BY_CHAR:
        raise NoRule(str(dtype))
    return _BY_CHAR[dtype.char]


def dtype_of(kind: Kind) -> np.dtype[Any]:
    """The dtype of a number; for one of Python's, that of the values it can have here."""
    if isinstance(kind, PythonScalarKind):
        return np.dtype(_DTYPES[kind.type])
    assert isinstance(kind, (NumpyScalarKind, ArrayKind))
    return kind.dtype


def kind_of(argument: Any) -> Kind:
    """The kind of a node or of a constant among its arguments."""
    if isinstance(argument, Node):
        return argument.kind
    if isinstance(argument, np.generic):
        return NumpyScalarKind(argument.dtype)
    if type(argument) in _PYTHON:
        return PythonScalarKind(type(argument))
    if isinstance(argument, tuple):
        return SequenceKind(tuple, tuple(map(kind_of, argument)))
    raise NoRule(type(argument).__name__)


_CODES: Mapping[type, str] = MappingProxyType({int: "i", float: "f", bool: "b", complex: "c"})


def input_code(kind: Kind) -> str:
    """How `_native/ahead/loop_program.c` turns an input of this kind into words."""
    if isinstance(kind, PythonScalarKind):
        return _CODES[kind.type]
    if isinstance(kind, NumbersKind):
        return "l" if kind.type is list else "t"
    scalar_types(NumpyScalarKind(kind.dtype)) if isinstance(kind, ArrayKind) else None
    if isinstance(kind, ArrayKind) and kind.ndim < 10:
        return f"a{kind.dtype.char}{kind.ndim}"
    if isinstance(kind, NumpyScalarKind):
        scalar_types(kind)
        return f"s{kind.dtype.char}"
    raise NoRule(type(kind).__name__)


def output_code(kind: Kind) -> str:
    """How `_native/ahead/loop_program.c` makes an object of an output's words."""
    return "o" if isinstance(kind, ArrayKind) else input_code(kind)
