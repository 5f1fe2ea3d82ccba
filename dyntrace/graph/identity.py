"""How an object is remembered without being kept alive.

`hold(value)` gives what may be kept: the object itself if it lasts as long as the program does
(None, static types, NumPy's own dtypes, ufuncs and functions, plain constants), else a weak
reference. `held` gives the object back, or `GONE` once it has died: an object that nothing else is,
so that a guard on it never holds again. Invariant: nothing here runs code of the user's.
"""

from __future__ import annotations

import sys
import types
import weakref
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any, Generic, TypeVar

import numpy as np

__all__ = [
    "GONE",
    "HEAP_TYPE",
    "ByIdentity",
    "Gone",
    "Namespace",
    "has_numeric_loop",
    "held",
    "hold",
    "lasts",
]

HEAP_TYPE = 1 << 9  # Py_TPFLAGS_HEAPTYPE of __flags__: made at run time, as by a class statement
_FLAGS_OF = type.__dict__["__flags__"].__get__
_REFERENCE = weakref.ref


class Gone:
    """The type of what stands for the dead, and itself what stands for a type that has died."""


GONE = Gone()


def hold(value: Any) -> Any:
    """What may be kept of `value`; TypeError if it neither lasts nor can be referenced weakly."""
    return value if lasts(value) else _REFERENCE(value)


def held(holder: Any) -> Any:
    """The object that `hold` was given, or GONE."""
    if type(holder) is not _REFERENCE:
        return holder
    value = holder()
    return GONE if value is None else value


def lasts(value: Any) -> bool:
    """Whether `value` is never freed, or is a plain constant whose end nobody can see."""
    kind = type(value)
    if id(kind) in _LASTING_TYPES or id(value) in _LASTING:
        return True
    if issubclass(kind, type):
        return not _FLAGS_OF(value) & HEAP_TYPE
    rule = _RULES.get(id(kind))
    return rule is not None and rule(value)


def has_numeric_loop(ufunc: np.ufunc) -> bool:
    """False for ufuncs that only call Python objects; one without a list of loops has its own."""
    return not ufunc.types or any("O" not in loop for loop in ufunc.types)


def _of_static_type(descriptor: Any) -> bool:
    return not _FLAGS_OF(descriptor.__objclass__) & HEAP_TYPE


def _is_numpys(function: Any) -> bool:
    module = getattr(function, "__module__", None)
    return type(module) is str and module.partition(".")[0] == "numpy"


_LASTING_TYPES = frozenset(
    id(kind)
    for kind in (
        *(type(value) for value in (None, Ellipsis, NotImplemented)),
        *(bool, int, float, complex, str, bytes),
    )
)
_LASTING = frozenset(
    [id(np.dtype(char)) for char in np.typecodes["All"]]
    + [id(value) for value in (np._NoValue, np.r_, np.c_, np.mgrid, np.ogrid, np.s_)]
    + [id(value) for value in vars(np.dtypes).values() if isinstance(value, type)]
)
_DTYPES = tuple([value for value in vars(np.dtypes).values() if isinstance(value, type)])
# The loops of a compiled ufunc, and the code that made it, are never unloaded.
_RULES: Mapping[int, Callable[[Any], bool]] = MappingProxyType(
    {
        id(np.ufunc): has_numeric_loop,
        id(type(np.sum)): _is_numpys,
        id(types.BuiltinFunctionType): lambda value: (
            type(value.__self__) is not types.ModuleType and lasts(value.__self__)
        ),
        **dict.fromkeys(
            (
                id(types.MethodDescriptorType),
                id(types.WrapperDescriptorType),
                id(types.GetSetDescriptorType),
                id(types.ClassMethodDescriptorType),
            ),
            _of_static_type,
        ),
        **dict.fromkeys(
            map(id, _DTYPES), lambda dtype: dtype.kind in "biufc" and not dtype.metadata
        ),
        id(tuple): lambda value: all(map(lasts, value)),
    }
)


class Namespace:
    """A globals dict, by its address and its module's name: dicts cannot be referenced weakly."""

    __slots__ = ("address", "name")

    def __init__(self, namespace: dict[str, Any]) -> None:
        self.address = id(namespace)
        name = namespace.get("__name__")
        self.name = name if type(name) is str else ""

    def find(self, nearest: dict[str, Any] | None = None) -> dict[str, Any] | None:
        """The dict, if it is `nearest` or that of a module that is still imported."""
        module = sys.modules.get(self.name)
        found = module.__dict__ if type(module) is types.ModuleType else None
        for candidate in (nearest, found):
            if candidate is not None and id(candidate) == self.address:
                return candidate
        return None


Value = TypeVar("Value")


class ByIdentity(Generic[Value]):
    """A mapping from objects, by identity and a second key, whose values die with the objects."""

    def __init__(self) -> None:
        self._found: dict[tuple[int, int], tuple[weakref.ref[Any], Value]] = {}

    def get(self, key: Any, second: int = 0) -> Value | None:
        entry = self._found.get((id(key), second))
        return entry[1] if entry is not None and entry[0]() is key else None

    def set(self, key: Any, value: Value, second: int = 0) -> Value:
        """Enter `value`, which must not hold `key`."""
        found, place = self._found, (id(key), second)

        def forget(dead: weakref.ref[Any]) -> None:
            if place in found and found[place][0] is dead:
                del found[place]

        found[place] = (weakref.ref(key, forget), value)
        return value

    def values(self) -> list[Value]:
        return [value for _, value in list(self._found.values())]
