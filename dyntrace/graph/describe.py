"""describe(value): the kind of a runtime value, found without running any of the user's code.

Invariant: types are compared by identity and attributes are read from the instance's own dict or
slots only, so no `__getattr__`, `__eq__`, `__class__` or property of the user's ever runs. What is
not recognised is an `ObjectKind`. Kinds are defined in `graph.kinds`.
"""

from __future__ import annotations

import functools
import inspect
import types
from collections.abc import Callable
from typing import Any

import numpy as np

from dyntrace.graph.instances import own_attributes
from dyntrace.graph.kinds import (
    NUMERIC_CHARS,
    ArrayKind,
    DictKind,
    FunctionKind,
    InstanceKind,
    Kind,
    KnownKind,
    NumpyScalarKind,
    ObjectKind,
    PythonScalarKind,
    SequenceKind,
    SliceKind,
    StringKind,
    UnseenKind,
    is_plain_dtype,
)

MAX_DEPTH = 3
MAX_ITEMS = (256, 256, 64)  # of a container or attributes of an instance, by its depth
WIDE = 16, 64  # items; a longer sequence counts for two levels, the longest for three,
LARGE = 64  # and so do larger dicts and instances for two, so that wide and deep is not both
MAX_LASTING = 4096  # kinds of objects that are never freed which are kept
MAX_LENGTH = 4096  # of a str whose value is kept
_LARGE = 1 << 4096

_SINGLETONS = (None, Ellipsis, NotImplemented)
_DICT_OF = type.__dict__["__dict__"].__get__  # a class's own dict, whatever its metaclass says
_MRO_OF = type.__dict__["__mro__"].__get__


def describe(value: Any) -> Kind:
    """The kind of `value`; total, and free of side effects."""
    return _describe(value, 0)


def _describe(value: Any, depth: int) -> Kind:
    kind = type(value)
    rule = _RULES.get(id(kind))
    if rule is not None:
        return rule(value, depth)
    if id(kind) in _SCALAR_DTYPES:
        return NumpyScalarKind(_SCALAR_DTYPES[id(kind)])
    if issubclass(kind, type) or id(kind) in _DTYPE_CLASSES:
        return _known(value, depth)
    if issubclass(kind, tuple):
        return _named_tuple(value, depth)
    return _instance(value, kind, depth)


def _array(value: Any, depth: int) -> Kind:
    dtype = value.dtype
    if not is_plain_dtype(dtype):
        return ObjectKind(np.ndarray)
    return _array_kind(dtype.char, value.ndim)


@functools.cache
def _array_kind(char: str, ndim: int) -> Kind:
    """The same object for all arrays of a kind, so that states compare fast."""
    return ArrayKind(np.dtype(char), ndim)


def _python_scalar(value: Any, depth: int) -> Kind:
    kept = type(value) is not int or -_LARGE < value < _LARGE
    return PythonScalarKind(type(value), value if kept else None)


def _string(value: Any, depth: int) -> Kind:
    return StringKind(value if len(value) < MAX_LENGTH else None)


def _known(value: Any, depth: int) -> Kind:
    """By identity, unless that would keep it alive: a descriptor of the user's, a dtype made."""
    found = _LASTING_KINDS.get(id(value))
    if found is not None and found.holder is value:
        return found
    try:
        kind = KnownKind(value)
    except TypeError:
        return ObjectKind(type(value))
    if kind.holder is value and len(_LASTING_KINDS) < MAX_LASTING:
        _LASTING_KINDS[id(value)] = kind
    return kind


def _function(value: Any, depth: int) -> Kind:
    """A function made inside another is a new object each time: its code is what stays."""
    nested = value.__code__.co_flags & inspect.CO_NESTED
    if not nested or depth >= MAX_DEPTH or _pairs(value.__dict__) != ():
        return KnownKind(value)
    defaults, keywords = value.__defaults__, _pairs(value.__kwdefaults__)
    defaults = () if defaults is None else defaults
    if type(defaults) is not tuple or keywords is None:
        return KnownKind(value)
    return FunctionKind(
        value.__code__,
        value.__globals__,
        tuple(_describe(item, depth + 1) for item in defaults),
        tuple((key, _describe(item, depth + 1)) for key, item in keywords),
        tuple(_cell(cell, depth + 1) for cell in value.__closure__ or ()),
    )


def _pairs(namespace: Any) -> tuple[tuple[Any, Any], ...] | None:
    """The items of a dict at one moment; None for what is no plain dict, or changes meanwhile."""
    if namespace is None:
        return ()
    try:
        return tuple(dict.copy(namespace).items()) if type(namespace) is dict else None
    except RuntimeError:  # a finaliser ran while it was copied
        return None


def _cell(cell: types.CellType, depth: int) -> Kind:
    try:
        return _describe(cell.cell_contents, depth)
    except ValueError:
        return Kind()


def _sequence(value: Any, depth: int) -> Kind:
    if _is_too_much(len(value), depth):
        return UnseenKind(type(value))
    return SequenceKind(type(value), _items(tuple(value), depth))


def _is_too_much(count: int, depth: int) -> bool:
    return depth >= MAX_DEPTH or count > MAX_ITEMS[depth]


def _items(items: tuple[Any, ...], depth: int) -> tuple[Kind, ...]:
    below = depth + 1 + sum(len(items) > width for width in WIDE)
    return tuple(_describe(item, below) for item in items)


def _dict(value: Any, depth: int) -> Kind:
    if _is_too_much(len(value), depth):
        return UnseenKind(dict)
    pairs = _pairs(value)
    if pairs is None or not all(type(key) is str or type(key) is int for key, _ in pairs):
        return ObjectKind(dict)
    return DictKind(_described(pairs, depth))


def _described(pairs: tuple[tuple[Any, Any], ...], depth: int) -> tuple[tuple[Any, Kind], ...]:
    below = depth + 1 + (len(pairs) > LARGE)
    return tuple((key, _describe(value, below)) for key, value in pairs)


def _slice(value: Any, depth: int) -> Kind:
    parts = (value.start, value.stop, value.step)
    return SliceKind(*(_describe(part, depth + 1) for part in parts))


def _named_tuple(value: Any, depth: int) -> Kind:
    """The named tuples NumPy's functions return (`SVDResult`, `UniqueAllResult`, …)."""
    kind = type(value)
    module = _DICT_OF(kind).get("__module__")
    plain = type(module) is str and module.partition(".")[0] == "numpy"
    if not plain or "_fields" not in _DICT_OF(kind):
        return ObjectKind(kind)
    if _is_too_much(tuple.__len__(value), depth):
        return UnseenKind(kind)
    return SequenceKind(kind, _items(tuple(tuple.__iter__(value)), depth))


def _instance(value: Any, kind: type, depth: int) -> Kind:
    """An instance of a plain Python class: one that leaves attribute reading to `object`."""
    if not _is_plain_class(kind):
        return ObjectKind(kind)
    if depth >= MAX_DEPTH:
        return UnseenKind(kind)
    try:
        own = _pairs(_own_dict(value, kind)) or ()
        found = {**_slots(value, kind), **{k: v for k, v in own if type(k) is str}}
    except TypeError:  # its class was exchanged meanwhile
        return ObjectKind(kind)
    if _is_too_much(len(found), depth):
        return UnseenKind(kind)
    return InstanceKind(kind, _described(tuple(found.items()), depth))


def _is_plain_class(kind: type) -> bool:
    """A heap class in Python whose bases are plain too, with no attribute hook of its own."""
    if type(kind) is not type or not kind.__flags__ & 1 << 9:
        return False  # a static type that is not readied yet has no __mro__
    for base in _MRO_OF(kind)[:-1]:
        body = _DICT_OF(base)
        if not base.__flags__ & 1 << 9 or "__getattribute__" in body or "__getattr__" in body:
            return False
        if not all(_is_slot_of(base, member) for member in _slot_values(body)):
            return False
        module = body.get("__module__")
        if type(module) is not str or module in ("builtins", "typing"):
            return False
    return _MRO_OF(kind)[-1] is object


def _is_slot_of(base: type, member: Any) -> bool:
    return type(member) is types.MemberDescriptorType and member.__objclass__ is base


def _slot_values(body: Any) -> list[Any]:
    slots = body.get("__slots__", ())
    if type(slots) is str:
        slots = (slots,)
    elif type(slots) is not tuple and type(slots) is not list:
        return []
    names = [name for name in tuple(slots) if type(name) is str and name in body]
    return [body[name] for name in names if name not in ("__dict__", "__weakref__")]


def _slots(value: Any, kind: type) -> dict[str, Any]:
    found = {}
    for base in reversed(_MRO_OF(kind)[:-1]):
        for member in _slot_values(_DICT_OF(base)):
            try:
                found[member.__name__] = member.__get__(value, kind)
            except AttributeError:
                continue
    return found


def _own_dict(value: Any, kind: type) -> Any:
    """What the instance holds itself, unless its class has a `__dict__` of the user's."""
    for base in _MRO_OF(kind)[:-1]:
        getter = _DICT_OF(base).get("__dict__")
        if getter is not None:
            own = type(getter) is types.GetSetDescriptorType
            return own_attributes(value, getter) if own else None
    return None


_LASTING_KINDS: dict[int, KnownKind] = {}
# Classes are looked up by identity: a metaclass of the user's may define __hash__ and __eq__.
_SCALAR_DTYPES = {id(np.dtype(char).type): np.dtype(char) for char in NUMERIC_CHARS}
_DTYPE_CLASSES = frozenset(
    id(value) for value in vars(np.dtypes).values() if isinstance(value, type)
)

_KNOWN_TYPES: tuple[type, ...] = (
    *(type(value) for value in _SINGLETONS),
    *(type(value) for value in (np.r_, np.c_, np.mgrid, np.ogrid, np.s_, np._NoValue)),
    functools.partial,
    types.BuiltinFunctionType,
    types.ModuleType,
    types.MethodDescriptorType,
    types.WrapperDescriptorType,
    types.GetSetDescriptorType,
    types.ClassMethodDescriptorType,
    np.ufunc,
    type(np.sum),
    type(np.dtypes.Float64DType),
    type,
)

_BY_TYPE: dict[type, Callable[[Any, int], Kind]] = {
    np.ndarray: _array,
    **dict.fromkeys((bool, int, float, complex), _python_scalar),
    str: _string,
    tuple: _sequence,
    list: _sequence,
    dict: _dict,
    slice: _slice,
    types.FunctionType: _function,
    **dict.fromkeys(_KNOWN_TYPES, _known),
}
_RULES = {id(kind): rule for kind, rule in _BY_TYPE.items()}
