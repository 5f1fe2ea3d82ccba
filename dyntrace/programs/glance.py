"""A glance: does warm code deal with arrays?

It looks at the values in the frame and at the globals the code names, and into their items and
attributes, at most DEEPEST levels below the frame. Invariant: it runs no code of the user's. A
wrong yes costs an analysis; a wrong no leaves the code unoptimised. `graph.describe` is the
thorough description that recorders make.
"""

from __future__ import annotations

import gc
import sys
from collections.abc import Iterable, Iterator
from itertools import islice
from types import CellType, CodeType, FunctionType, ModuleType
from typing import Any

__all__ = ["meets_arrays"]

DEEPEST = 3  # levels of items or attributes below a local variable
MOST = 24  # items or attributes of one object
LOOKED_AT = 400  # objects in all
HEAP_TYPE = 1 << 9  # Py_TPFLAGS_HEAPTYPE of __flags__: made at run time, as by a class statement

_PLAIN = (int, float, complex, str, bytes, bool, type(None), type, FunctionType, ModuleType)


def meets_arrays(code: CodeType, namespace: dict[str, Any], values: Iterable[Any]) -> bool:
    """Whether a frame of `code` can reach an array, or the code names something of NumPy's.

    `values` are those of the frame. In a frame of another thread the class of an array stands for
    it (`copied_values` in `_sampler/sampler.c`).
    """
    numpy = sys.modules.get("numpy")
    array, scalar = getattr(numpy, "ndarray", None), getattr(numpy, "generic", None)
    if array is None or scalar is None:
        return False
    values = list(values)
    if any(type(value) is type and issubclass(value, (array, scalar)) for value in values):
        return True
    names = [namespace[name] for name in _names(code, 0) if name in namespace]
    if any(_is_numpys(value) for value in names):
        return True
    glance = _Glance((array, scalar))
    return any(glance.holds(value, 0) for value in values) or any(
        glance.holds(value, 1) for value in names
    )


def _names(code: CodeType, depth: int) -> Iterator[str]:
    """The names that code reads, those of functions defined inside it included."""
    yield from code.co_names
    if depth < DEEPEST:
        for constant in code.co_consts:
            if type(constant) is CodeType:
                yield from _names(constant, depth + 1)


def _is_numpys(value: Any) -> bool:
    """Whether `value` is a module, function or class of NumPy or SciPy."""
    kind = type(value)
    if kind is ModuleType:
        name = value.__dict__.get("__name__")
    elif kind is FunctionType:
        name = value.__module__
    else:
        name = kind.__dict__.get("__module__") if type(kind) is type else None
    return type(name) is str and name.partition(".")[0] in ("numpy", "scipy")


class _Glance:
    """A search for arrays and NumPy scalars that looks at no more than LOOKED_AT objects."""

    def __init__(self, classes: tuple[type, type]) -> None:
        self.classes = classes
        self.left = LOOKED_AT

    def holds(self, value: Any, depth: int) -> bool:
        """Whether `value`, which lies `depth` levels deep, is or reaches an array or scalar."""
        kind = type(value)
        if issubclass(kind, self.classes):
            return True
        self.left -= 1
        if depth >= DEEPEST or self.left < 0 or kind in _PLAIN:
            return False
        return any(self.holds(part, depth + 1) for part in _parts(value, kind))


def _parts(value: Any, kind: type) -> list[Any]:
    if kind is CellType:
        try:
            return [value.cell_contents]
        except ValueError:
            return []
    if kind is list or kind is tuple:
        return list(value[:MOST])
    if kind is dict:
        return list(dict(value).values())[:MOST]
    return _attributes(value, kind)


def _attributes(value: Any, kind: type) -> list[Any]:
    """The attribute values of an instance of a Python class.

    `gc.get_referents` visits inline values; asking for `__dict__` would make a dict, which slows
    every later access to the instance's attributes.
    """
    if type(kind) is not type or not all(base.__flags__ & HEAP_TYPE for base in kind.__mro__[:-1]):
        return []
    found: list[Any] = []
    for part in gc.get_referents(value):
        found += islice(part.values(), MOST) if type(part) is dict else [part]
    return found[:MOST]
