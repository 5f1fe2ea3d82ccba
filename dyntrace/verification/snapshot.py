"""Snapshot: deep copies that keep layout and sharing, and the globals and cells of a function.

A copy has the layout, flags and aliasing of the original: views of one block of memory become views
of one block, at the same offsets and strides, and an object that occurs twice is copied once.
Objects that cannot be copied (a lock, a generator) are shared. Differential tests run on such
copies. `verify` uses only `World` from here: it restores objects in place, see `reachable`.
"""

from __future__ import annotations

import builtins
import copy
import dis
import types
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from dyntrace.exec.effects.memory import WRITEABLE
from dyntrace.verification.observations import attributes_of

__all__ = ["World", "copies", "global_names"]

_GLOBAL_STEPS = ("LOAD_GLOBAL", "LOAD_NAME", "STORE_GLOBAL", "STORE_NAME", "DELETE_GLOBAL")
_SHARED = (types.ModuleType, types.FunctionType, types.BuiltinFunctionType, type, np.ufunc)


class _Missing:
    """The value of an unbound name."""


def copies(values: Iterable[Any]) -> list[Any]:
    """Deep copies of `values`, made together: copies share memory where the originals do."""
    memo: dict[int, Any] = {}
    alive = list(values)
    for array in _arrays(alive, set()):
        _copy_array(array, memo)
    return [_copy(value, memo) for value in alive]


def _copy(value: Any, memo: dict[int, Any]) -> Any:
    if isinstance(value, _SHARED):
        return value
    try:
        return copy.deepcopy(value, memo)
    except Exception:  # deepcopy of a foreign object may raise anything: the object is shared then
        return value


def _arrays(value: Any, seen: set[int]) -> Iterator[np.ndarray[Any, Any]]:
    """Every plain numeric array inside `value`, through containers and instance attributes."""
    if id(value) in seen or isinstance(value, _SHARED):
        return
    seen.add(id(value))
    if type(value) is np.ndarray and not value.dtype.hasobject:
        yield value
    elif isinstance(value, (tuple, list, set, frozenset)):
        for item in value:
            yield from _arrays(item, seen)
    elif isinstance(value, dict):
        for item in dict.values(value):
            yield from _arrays(item, seen)
    elif isinstance(value, types.MethodType):
        yield from _arrays(value.__self__, seen)
    elif not isinstance(value, np.ndarray):
        for _, item in list(attributes_of(value)):
            yield from _arrays(item, seen)


def _copy_array(array: np.ndarray[Any, Any], memo: dict[int, Any]) -> Any:
    """A copy of `array` in `memo`; a view becomes the same view of its owner's copy."""
    if id(array) not in memo:
        if type(array.base) is np.ndarray:
            memo[id(array)] = _copy_view(array, array.base, memo)
        elif isinstance(array.base, (bytes, bytearray)):
            memo[id(array)] = _copy_of_buffer(array, array.base, memo)
        else:
            memo[id(array)] = array.copy(order="K")
        memo[id(array)].flags.writeable = bool(array.flags.num & WRITEABLE)
    return memo[id(array)]


def _copy_of_buffer(
    array: np.ndarray[Any, Any], buffer: bytes | bytearray, memo: dict[int, Any]
) -> np.ndarray[Any, Any]:
    """The same view over a copy of the `buffer` that `array` looks into."""
    offset = _address(array) - _address(np.frombuffer(buffer, np.uint8))
    held = copy.deepcopy(buffer, memo)
    return np.ndarray(array.shape, array.dtype, held, offset, array.strides)


def _address(array: np.ndarray[Any, Any]) -> int:
    return int(array.__array_interface__["data"][0])


def _copy_view(
    array: np.ndarray[Any, Any], base: np.ndarray[Any, Any], memo: dict[int, Any]
) -> np.ndarray[Any, Any]:
    while type(base.base) is np.ndarray:
        base = base.base
    owner = _copy_array(base, memo)
    offset = _address(array) - np.lib.array_utils.byte_bounds(base)[0]
    flat = owner.ravel(order="K")
    if not array.size:
        return np.ndarray(array.shape, array.dtype, flat, 0, array.strides)
    if not np.shares_memory(flat, owner):
        return array.copy(order="K")
    return np.ndarray(array.shape, array.dtype, flat, offset, array.strides)


@dataclass(frozen=True)
class World:
    """The globals and closure cells a function can reach, and a copy of what they held at first."""

    places: tuple[tuple[Any, Any], ...]
    held: tuple[Any, ...]

    @classmethod
    def around(cls, fn: Any) -> World:
        """The world of `fn`: globals named in its code or in that of functions it can reach."""
        space = getattr(getattr(fn, "__func__", fn), "__globals__", None)
        places = _places(fn, space, set())
        found = {(id(_key(owner)), name): (owner, name) for owner, name in places}
        return cls(tuple(found.values()), tuple(_read(*place) for place in found.values()))

    def set(self, held: Iterable[Any]) -> None:
        """Store `held`, one value for each place, in the globals and cells."""
        for (owner, name), value in zip(self.places, held, strict=True):
            _write(owner, name, value)

    def now(self) -> Iterator[tuple[str, Any]]:
        """Each place by name, with what it holds now."""
        for owner, name in self.places:
            value = _read(owner, name)
            yield f"global {name}", "<unbound>" if value is _Missing else value


@dataclass(frozen=True)
class _Namespace:
    """A globals dict, told apart from closure cells by its type."""

    names: dict[str, Any]


def _places(fn: Any, space: Any, seen: set[int]) -> Iterator[tuple[Any, Any]]:
    """Cells and globals of `fn` and of the functions it can reach in the module `space`."""
    fn = getattr(fn, "__func__", fn)
    if not isinstance(fn, types.FunctionType) or id(fn) in seen or fn.__globals__ is not space:
        return
    seen.add(id(fn))
    for name, cell in zip(fn.__code__.co_freevars, fn.__closure__ or (), strict=False):
        yield cell, name
        yield from _places(_read(cell, name), space, seen)
    for name in sorted(global_names(fn.__code__)):
        if name in space or name not in vars(builtins):
            yield _Namespace(space), name
            yield from _places(space.get(name), space, seen)


def global_names(code: types.CodeType) -> set[str]:
    """The globals that `code`, or code nested in it, reads, stores or deletes."""
    own = {step.argval for step in dis.get_instructions(code) if step.opname in _GLOBAL_STEPS}
    return own.union(*(global_names(c) for c in code.co_consts if isinstance(c, types.CodeType)))


def _key(owner: Any) -> Any:
    return owner.names if isinstance(owner, _Namespace) else owner


def _read(owner: Any, name: str) -> Any:
    if isinstance(owner, _Namespace):
        return owner.names.get(name, _Missing)
    try:
        return owner.cell_contents
    except ValueError:
        return _Missing


def _write(owner: Any, name: str, value: Any) -> None:
    if isinstance(owner, _Namespace):
        if value is _Missing:
            owner.names.pop(name, None)
        else:
            owner.names[name] = value
    elif value is not _Missing:
        owner.cell_contents = value
    elif _read(owner, name) is not _Missing:
        del owner.cell_contents
