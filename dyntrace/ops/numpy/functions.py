"""The lines of the family tables: `captured` and `refused`, for groups of similar functions.

A line names functions of one namespace, and states what the default inference cannot see: what they
write (parameter names), whether the result may share memory, whether the kind is certain. A name
that the installed NumPy lacks is skipped, so one table serves every version. The parameters of
functions written in Python are read from their code when their record is first looked up.
`register` enters the records in `ops.registry`.
"""

from __future__ import annotations

import types
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import numpy as np

from dyntrace import breaks
from dyntrace.graph.node import Op
from dyntrace.ops.probe import STATIC, Parameters, probing
from dyntrace.ops.quiet import is_python, may_warn, quiet
from dyntrace.ops.registry import Infer, Record, Treatment, add_callable, is_listed
from dyntrace.record import record

__all__ = ["Line", "Refusal", "captured", "refused", "register"]

VERSION = tuple(int(part) for part in np.__version__.split(".")[:2])


@record(frozen=True)
class Line:
    """Functions that are captured in the same way.

    names       names of the functions, separated by spaces
    parameters  positional parameter names; None: those of the Python code
    static      parameters that the trace reads, besides `ops.probe.STATIC`
    dynamic     parameters of `ops.probe.STATIC` that are data here
    exact       the inferred kind is certain, so the result needs no check
    aliases     the result may share memory with an argument
    along_axes  `aliases` holds only for a call without axes
    writes      names of parameters whose memory is written
    heavy       large ones are worth another thread
    blas        may call BLAS or LAPACK
    clone       runs the quiet clone, because the function may warn
    around      wraps the default inference
    infer       replaces the default inference
    number      the value that stands in for a Python number
    sides       the lengths of stand-ins' axes
    until       the NumPy version (major, minor) that deprecated the functions
    wrapper     takes the function and returns the one to run, which is equal unless it raises
    """

    names: str
    parameters: str | None = None
    static: str = ""
    dynamic: str = ""
    exact: bool = False
    aliases: bool = False
    along_axes: bool = False
    writes: str = "out"
    heavy: bool = False
    blas: bool = False
    clone: bool = False
    around: Callable[[Infer], Infer] | None = None
    infer: Infer | None = None
    number: int = 1
    sides: tuple[int, ...] = ()
    until: tuple[int, int] | None = None
    wrapper: Callable[[Callable[..., Any]], Callable[..., Any]] | None = None


captured = Line


@record(frozen=True)
class Refusal:
    """Functions that are not captured, and the code of the reason."""

    names: str
    how: str
    code: str


refused = Refusal


def register(namespace: Any, prefix: str, family: str, lines: tuple[Line | Refusal, ...]) -> None:
    """Enter the functions of `namespace` that `lines` name; skips objects already entered."""
    for line in lines:
        for name in line.names.split():
            target = getattr(namespace, name, None)
            if target is None or is_listed(target) or _is_replaced(target):
                continue
            if isinstance(line, Refusal):
                add_callable(target, Treatment(line.how, line.code))
            elif line.until is not None and line.until <= VERSION:
                add_callable(target, Treatment("break", breaks.DEPRECATED.code))
            else:
                make = partial(_record, target, f"{prefix}.{name}", family, line)
                add_callable(target, make)


def _is_replaced(target: Any) -> bool:
    """Whether the program has replaced NumPy's function by one of its own."""
    return type(target) is types.FunctionType and not is_python(target)


def _record(target: Any, name: str, family: str, line: Line) -> Record:
    names = positional_names(target) if line.parameters is None else line.parameters.split()
    if line.wrapper is not None:
        run = line.wrapper(target)
    else:
        run = quiet(target) if line.clone or may_warn(target) else target
    op = Op(
        name,
        run,
        family,
        exact=line.exact,
        aliases=line.aliases,
        along_axes=line.along_axes,
        writes=tuple(_writes(names, line.writes.split())),
        heavy=line.heavy,
        blas=line.blas,
    )
    static = (STATIC | set(line.static.split())) - set(line.dynamic.split())
    parameters = Parameters(tuple(names), frozenset(static), number=line.number, sides=line.sides)
    infer = line.infer or probing(op, parameters)
    return Record(op, line.around(infer) if line.around else infer)


def _writes(names: list[str], written: list[str]) -> Iterator[int | str]:
    for parameter in written:
        if parameter in names:
            yield names.index(parameter)
        yield parameter


def positional_names(target: Any) -> list[str]:
    """The names of a Python function's positional parameters; [] for a function in C."""
    function = getattr(target, "_implementation", target)
    code = getattr(function, "__code__", None)
    while hasattr(function, "__wrapped__"):
        function = function.__wrapped__
        code = function.__code__
    if not isinstance(code, types.CodeType):
        return []
    names = list(code.co_varnames[: code.co_argcount])
    if code.co_flags & 0x04:  # *args
        names.append("*" + code.co_varnames[code.co_argcount + code.co_kwonlyargcount])
    return names
