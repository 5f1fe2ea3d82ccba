"""Observations: any value as a flat table of facts, so that two runs can be compared fact by fact.

Each fact has a path ("result[0].strides"). Numbers are compared bit for bit, except that all NaNs
are equal. If an object occurs again, its fact is the path where it occurred first; an array in
shared memory has the block and the offset as a fact. So identity and aliasing are compared like
everything else. Invariant: describing a value runs none of its code.
"""

from __future__ import annotations

import collections
import functools
import itertools
import re
import types
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from dyntrace.registries import Registry

__all__ = ["Bits", "Description", "Facts", "without_addresses"]

Facts = dict[str, Any]
Rule = Callable[["Description", str, Any], None]

_RULES: Registry[type, Rule] = Registry()
_DEEPEST = 50  # values nested deeper wait in a queue, so that descriptions do not recurse
_OWN = ("dyntrace.verification.compare", "dyntrace.verification.replay")
_NAMELESS = (int, float, complex, str, bytes, type(None), type(...), type(NotImplemented), type)
_PADDED = np.dtype(np.longdouble).itemsize == 16 and np.finfo(np.longdouble).nmant == 63


class Bits:
    """The significant bytes of an array, one row per element, with one bit pattern for all NaNs."""

    __slots__ = ("rows", "values")

    def __init__(self, array: np.ndarray[Any, Any]) -> None:
        self.values = np.array(array, order="C", copy=True, subok=False).reshape(-1)
        self.rows = _significant(self.values)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Bits) and np.array_equal(self.rows, other.rows)

    __hash__ = None  # type: ignore[assignment]

    def __repr__(self) -> str:
        return np.array2string(self.values, threshold=8, edgeitems=3)

    def against(self, other: Bits) -> str:
        """A text on the first element that differs."""
        if self.rows.shape != other.rows.shape:
            return f"{self!r} != {other!r}"
        wrong = np.flatnonzero((self.rows != other.rows).any(axis=1))
        first = int(wrong[0])
        return (
            f"{wrong.size} of {len(self.rows)} elements differ, first at flat index {first}: "
            f"{self.values[first]!r} != {other.values[first]!r}"
        )


def _significant(flat: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    """One row of bytes per element of `flat`: NaNs unified, padding of long doubles cleared."""
    parts = flat.copy()
    if parts.dtype.kind == "c":
        parts = parts.view(parts.real.dtype)
    if parts.dtype.kind == "f":
        with np.errstate(all="ignore"):
            parts[np.isnan(parts)] = np.nan
    rows = parts.view(np.uint8).reshape(len(flat), -1) if len(flat) else np.empty((0, 1), np.uint8)
    if _PADDED and parts.dtype.char == "g" and len(flat):
        rows.reshape(-1, 16)[:, 10:] = 0
    return rows


class Description:
    """Collects `facts`.

    Add arguments before results: a result that is an argument is then described as that argument.
    """

    def __init__(self) -> None:
        self.facts: Facts = {}
        self._paths: dict[int, str] = {}
        self._alive: list[Any] = []
        self._blocks: list[tuple[int, int, int, str]] = []
        self._depth = 0
        self._deferred: list[tuple[str, Any]] = []

    def add(self, path: str, value: Any) -> None:
        """Describe `value` under `path`; for an object described before, only name its path."""
        if isinstance(value, np.generic) or not isinstance(value, (*_NAMELESS, np.dtype)):
            known = self._paths.get(id(value))
            if known is not None:
                self.facts[f"{path} is"] = known
                return
            self._paths[id(value)] = path
            self._alive.append(value)
        if self._depth == _DEEPEST:
            self._deferred.append((path, value))
        else:
            self._describe(path, value)
        while self._depth == 0 and self._deferred:
            self._describe(*self._deferred.pop())

    def _describe(self, path: str, value: Any) -> None:
        self._depth += 1
        _rule_for(type(value))(self, path, value)
        self._depth -= 1

    def memory(self, array: np.ndarray[Any, Any]) -> tuple[str, int] | None:
        """The path of the first array in the same block of memory, and the offset in bytes."""
        if array.size == 0:
            return None
        address = array.__array_interface__["data"][0]
        low, high = np.lib.array_utils.byte_bounds(_root(array))
        for start, stop, origin, path in self._blocks:
            if low < stop and start < high:
                return path, address - origin
        return None

    def claim(self, path: str, array: np.ndarray[Any, Any]) -> None:
        """Note that `array`, found at `path`, lies in its block of memory."""
        if array.size:
            bounds = np.lib.array_utils.byte_bounds(_root(array))
            self._blocks.append((*bounds, array.__array_interface__["data"][0], path))

    def bases(self, array: np.ndarray[Any, Any]) -> Iterator[Any]:
        """The chain of bases of `array`: each one's path if it has one, else type and layout."""
        base: Any = array.base
        while base is not None:
            layout = _layout(base) if isinstance(base, np.ndarray) else ()
            yield self._paths.get(id(base)) or (_name(type(base)), *layout)
            base = getattr(base, "base", None) if isinstance(base, np.ndarray) else None


def _root(array: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    while isinstance(array.base, np.ndarray):
        array = array.base
    return array


def _layout(array: np.ndarray[Any, Any]) -> tuple[Any, ...]:
    steps = tuple(s for n, s in zip(array.shape, array.strides, strict=True) if n > 1)
    return array.shape, array.dtype, steps


def _name(kind: type) -> str:
    return f"{kind.__module__}.{kind.__qualname__}"


def without_addresses(text: str) -> str:
    """`text` without hexadecimal addresses, which differ between any two runs."""
    return re.sub(r"0x[0-9a-fA-F]{6,}", "0x…", text)


def _rule(*kinds: type) -> Callable[[Rule], Rule]:
    def register(function: Rule) -> Rule:
        for kind in kinds:
            _RULES[kind] = function
        return function

    return register


def _rule_for(kind: type) -> Rule:
    return next((_RULES[base] for base in kind.__mro__ if base in _RULES), _RULES[object])


@_rule(object)
def _instance(into: Description, path: str, value: Any) -> None:
    into.facts[f"{path} type"] = _name(type(value))
    for name, item in attributes_of(value):
        into.add(f"{path}.{name}", item)


def attributes_of(value: Any) -> Iterator[tuple[str, Any]]:
    """The attributes in the instance dict and the slots of `value`, without running its code."""
    try:
        held = object.__getattribute__(value, "__dict__")
    except AttributeError:
        held = {}
    yield from sorted((k, v) for k, v in held.items() if isinstance(k, str))
    for base in type(value).__mro__:
        for name, member in sorted(vars(base).items()):
            if isinstance(member, types.MemberDescriptorType) and base.__module__ != "builtins":
                try:
                    yield name, member.__get__(value, type(value))
                except AttributeError:
                    continue


@_rule(int, str, bytes, bool, type(None), type(...), type(NotImplemented), range, bytearray)
def _plain(into: Description, path: str, value: Any) -> None:
    text = without_addresses(value) if type(value) is str else value
    text = bytes(value) if isinstance(value, bytearray) else text
    into.facts[path] = (_name(type(value)), text)
    if type(value).__module__ != "builtins":
        for name, item in attributes_of(value):
            into.add(f"{path}.{name}", item)


@_rule(float, complex)
def _inexact(into: Description, path: str, value: Any) -> None:
    into.facts[f"{path} type"] = _name(type(value))
    into.facts[path] = Bits(np.array([value]))


@_rule(type, types.ModuleType, types.FunctionType, types.BuiltinFunctionType, np.ufunc)
def _named(into: Description, path: str, value: Any) -> None:
    name = getattr(value, "__qualname__", None) or value.__name__
    into.facts[path] = (_name(type(value)), getattr(value, "__module__", None), name)


@_rule(np.dtype)
def _dtype(into: Description, path: str, value: Any) -> None:
    into.facts[path] = ("dtype", repr(value), dict(value.metadata or {}))


@_rule(tuple, list)
def _sequence(into: Description, path: str, value: Any) -> None:
    into.facts[f"{path} type"] = (_name(type(value)), len(value))
    for index, item in enumerate(value):
        into.add(f"{path}[{index}]", item)
    if type(value).__module__ != "builtins":
        for name, item in attributes_of(value):
            into.add(f"{path}.{name}", item)


@_rule(set, frozenset)
def _set(into: Description, path: str, value: Any) -> None:
    into.facts[f"{path} type"] = (_name(type(value)), len(value))
    for index, item in enumerate(sorted(value, key=lambda one: (_name(type(one)), repr(one)))):
        into.add(f"{path}{{{index}}}", item)


@_rule(dict)
def _dict(into: Description, path: str, value: Any) -> None:
    into.facts[f"{path} type"] = (_name(type(value)), len(value))
    kind = collections.OrderedDict if isinstance(value, collections.OrderedDict) else dict
    for index, (key, item) in enumerate(kind.items(value)):
        into.add(f"{path} key {index}", key)
        into.add(f"{path}[{without_addresses(repr(key))}]", item)


@_rule(slice)
def _slice(into: Description, path: str, value: Any) -> None:
    into.facts[f"{path} type"] = "slice"
    for name in ("start", "stop", "step"):
        into.add(f"{path}.{name}", getattr(value, name))


@_rule(types.MethodType)
def _method(into: Description, path: str, value: Any) -> None:
    into.add(f"{path}.__func__", value.__func__)
    into.add(f"{path}.__self__", value.__self__)


@_rule(functools.partial)
def _partial(into: Description, path: str, value: Any) -> None:
    into.facts[f"{path} type"] = _name(type(value))
    for name in ("func", "args", "keywords"):
        into.add(f"{path}.{name}", getattr(value, name))


@_rule(np.random.Generator)
def _generator(into: Description, path: str, value: Any) -> None:
    into.facts[f"{path} type"] = _name(type(value))
    into.facts[f"{path} state"] = repr(value.bit_generator.state)


@_rule(np.generic)
def _numpy_scalar(into: Description, path: str, value: Any) -> None:
    into.facts[f"{path} type"] = _name(type(value))
    _elements(into, path, np.asarray(value))


@_rule(np.ndarray)
def _array(into: Description, path: str, value: Any) -> None:
    plain = value if type(value) is np.ndarray else np.ndarray.view(value, np.ndarray)
    flags = {f: plain.flags[f] for f in ("C_CONTIGUOUS", "F_CONTIGUOUS", "WRITEABLE", "ALIGNED")}
    into.facts[f"{path} type"] = _name(type(value))
    into.facts[f"{path}.shape"] = plain.shape
    into.facts[f"{path}.strides"] = _layout(plain)[2]
    into.facts[f"{path}.flags"] = {**flags, "OWNDATA": value.flags.owndata}
    into.facts[f"{path} memory"] = into.memory(value)
    into.facts[f"{path} bases"] = list(into.bases(value))
    into.claim(path, value)
    _elements(into, path, plain)
    if type(value) is not np.ndarray:
        for name, item in attributes_of(value):
            into.add(f"{path}.{name}", item)


def _elements(into: Description, path: str, array: np.ndarray[Any, Any]) -> None:
    """The dtype of `array` and what its elements hold, fields and objects included."""
    into.add(f"{path}.dtype", array.dtype)
    if array.dtype.names:
        for name in array.dtype.names:
            _elements(into, f"{path}[{name!r}]", array[name])
    elif array.dtype.kind in "OT":
        for index, item in enumerate(array.ravel().tolist()):
            into.add(f"{path}.flat[{index}]", item)
    else:
        into.facts[f"{path} bits"] = Bits(array)


@_rule(BaseException)
def _exception(into: Description, path: str, value: Any) -> None:
    into.facts[f"{path} type"] = _name(type(value))
    into.facts[f"{path} message"] = without_addresses(_message(value))
    into.add(f"{path}.args", value.args)
    # The line of an UnboundLocalError depends on how often the code has run: 3.11 fuses warm pairs
    # to instructions such as STORE_FAST__LOAD_FAST, which may span two lines (_PyCode_Quicken).
    exact = not isinstance(value, UnboundLocalError)
    into.facts[f"{path} traceback"] = list(_frames(value.__traceback__, exact))
    into.facts[f"{path} suppresses context"] = value.__suppress_context__
    for name in ("__cause__", "__context__", "__notes__", "exceptions"):
        item = getattr(value, name, None)
        if item is not None:
            into.add(f"{path}.{name}", item)


def _message(value: BaseException) -> str:
    try:
        return str(value)
    except Exception as error:
        return f"<message unavailable: {type(error).__name__}>"


def _frames(traceback: types.TracebackType | None, exact: bool) -> Iterator[tuple[Any, ...]]:
    """File, line, name and columns of each frame, without the frames of this package.

    Unless `exact`, the innermost frame has neither line nor columns.
    """
    while traceback is not None:
        code = traceback.tb_frame.f_code
        if traceback.tb_frame.f_globals.get("__name__") not in _OWN:
            spans = itertools.islice(code.co_positions(), traceback.tb_lasti // 2, None)
            told = exact or traceback.tb_next is not None
            span, line = (next(spans, None), traceback.tb_lineno) if told else (None, None)
            yield code.co_filename, line, code.co_qualname, span
        traceback = traceback.tb_next


_RULES.freeze()
