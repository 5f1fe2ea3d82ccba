"""Quiet clones: copies of NumPy's Python functions that raise where the originals warn.

A region emits no warnings, since a warning must carry the user's line. So a node whose function may
warn runs a clone of it: the same code with other globals, in which `warnings.warn` raises
`WouldWarn` and NumPy's other Python functions are clones, too. The region then deopts, CPython runs
the original, and the original warns. Invariant: NumPy's own functions and modules are not changed.
`ops.numpy.functions` decides which functions need a clone.
"""

from __future__ import annotations

import types
import warnings
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
from numpy._core import _methods

__all__ = ["GivesUp", "WouldWarn", "is_python", "may_warn", "quiet", "quiet_method", "quiet_with"]


class GivesUp(Exception):
    """Raised by a node's target: the region deopts, and the original instructions run."""


class WouldWarn(GivesUp):
    """Raised in place of a Python warning."""


class _Warnings:
    """Replaces the module `warnings` in clones: `warn` raises WouldWarn."""

    def __getattr__(self, name: str) -> Any:
        return getattr(warnings, name)

    @staticmethod
    def warn(*args: Any, **kwargs: Any) -> None:
        raise WouldWarn

    warn_explicit = warn


class _Module:
    """Replaces a module of NumPy in clones: the same attributes, with functions as clones."""

    def __init__(self, module: types.ModuleType, memo: dict[int, Any]) -> None:
        self._module = module
        self._memo = memo

    def __getattr__(self, name: str) -> Any:
        return _clone(getattr(self._module, name), self._memo)


_MEMO: dict[int, Any] = {id(warnings): _Warnings()}
_DISPATCHER = type(np.sum)


def quiet(function: Callable[..., Any]) -> Callable[..., Any]:
    """The clone of a NumPy function; the function itself if it is not written in Python."""
    memo = dict(_MEMO)  # another thread must not get an unfinished clone
    clone: Callable[..., Any] = _clone(function, memo)
    _MEMO.update(memo)
    return clone


def quiet_with(function: Callable[..., Any], stands_in: dict[Any, Any]) -> Callable[..., Any]:
    """A quiet clone in which the functions `stands_in` replace those that are its keys."""
    memo = {id(warnings): _MEMO[id(warnings)]}
    memo.update((id(found), other) for found, other in stands_in.items())
    clone: Callable[..., Any] = _clone(function, memo)
    return clone


def quiet_method(name: str) -> Callable[..., Any]:
    """The clone of `numpy._core._methods._mean`, `_std` or `_var`, which the methods call."""
    return quiet(getattr(_methods, f"_{name}"))


def may_warn(function: Any) -> bool:
    """Whether a NumPy function, or one it calls by a global name, uses `warnings`."""
    seen: set[int] = set()
    waiting: list[Any] = [function]
    while waiting:
        found = waiting.pop()
        kind = type(found)
        found = found._implementation if kind is _DISPATCHER else found
        if found is warnings:
            return True
        if id(found) in seen or not is_python(found):
            continue
        seen.add(id(found))
        waiting += [found.__globals__.get(name) for name in _names(found.__code__)]
    return False


def _clone(value: Any, memo: dict[int, Any]) -> Any:
    if id(value) in memo:
        return memo[id(value)]
    kind = type(value)
    if kind is _DISPATCHER:
        return _clone(value._implementation, memo) if is_python(value._implementation) else value
    if kind is types.ModuleType and value.__name__.partition(".")[0] == "numpy":
        memo[id(value)] = _Module(value, memo)
        return memo[id(value)]
    if kind is types.FunctionType:
        return _cloned_function(value, memo) if is_python(value) else _replaced
    return value


def _replaced(*args: Any, **kwargs: Any) -> Any:
    """Replaces, in clones, a function that the program has put in place of NumPy's."""
    raise GivesUp


def is_python(value: Any) -> bool:
    """Whether `value` is a NumPy function written in Python."""
    if type(value) is not types.FunctionType:
        return False
    module = value.__globals__.get("__name__", "")
    return isinstance(module, str) and module.partition(".")[0] in ("numpy", "contextlib")


def _cloned_function(function: types.FunctionType, memo: dict[int, Any]) -> types.FunctionType:
    namespace: dict[str, Any] = {"__builtins__": function.__globals__["__builtins__"]}
    namespace["__name__"] = function.__globals__["__name__"]
    cells = tuple(types.CellType() for _ in function.__closure__ or ())
    clone = types.FunctionType(
        function.__code__, namespace, function.__name__, function.__defaults__, cells or None
    )
    clone.__kwdefaults__ = function.__kwdefaults__
    memo[id(function)] = clone
    for cell, original in zip(cells, function.__closure__ or (), strict=True):
        cell.cell_contents = _clone(original.cell_contents, memo)
    for name in _names(function.__code__):
        if name in function.__globals__:
            namespace[name] = _clone(function.__globals__[name], memo)
    return clone


def _names(code: types.CodeType) -> Iterator[str]:
    """Every global name that `code`, or code inside it, may load."""
    yield from code.co_names
    for constant in code.co_consts:
        if isinstance(constant, types.CodeType):
            yield from _names(constant)
