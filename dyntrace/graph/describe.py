"""`describe(value)` finds the kind of a runtime value without running any of the user's code.

Invariant: types are compared by identity, and attributes are read only from the instance's own dict
or slots. So no `__getattr__`, `__eq__`, `__class__` or property of the user's ever runs. A value of
any type not listed here is an `ObjectKind`. Read `graph.kinds` for the kinds, `graph.instances` for
how an instance's dict is read.
"""

from __future__ import annotations

import functools
import inspect
import types
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any

import numpy as np

from dyntrace.graph.identity import HEAP_TYPE
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
MAX_ITEMS = (256, 256, 64)  # of a container, or attributes of an instance, by its depth
# A container with many items counts as more than one level of depth, which bounds the number of
# values described. A sequence counts as one more level for each of the lengths in WIDE that it
# exceeds, a dict or an instance as one more if it has over LARGE items.
WIDE = 16, 64
LARGE = 64
MAX_LASTING = 4096  # cached kinds of objects that are never freed
MAX_LENGTH = 4096  # of a str whose value its kind keeps
_LARGE = 1 << 4096  # an int whose value is not kept

_SINGLETONS = (None, Ellipsis, NotImplemented)
_DICT_OF = type.__dict__["__dict__"].__get__  # a class's own dict, whatever its metaclass says
_MRO_OF = type.__dict__["__mro__"].__get__


def describe(value: Any) -> Kind:
    """The kind of `value`. Every object has one; finding it has no side effects."""
    return _describe(value, 0)


def _describe(value: Any, depth: int) -> Kind:
    kind = type(value)
    rule = _RULES.get(id(kind))
    if rule is not None:
        return rule(value, depth)
    if id(kind) in _SCALAR_DTYPES:
        return NumpyScalarKind(_SCALAR_DTYPES[id(kind)])
    if issubclass(kind, type) or id(kind) in _DTYPE_CLASSES:
        return _by_identity(value, depth)
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
    """One object for all arrays of a kind: comparing states is then mostly comparing pointers."""
    return ArrayKind(np.dtype(char), ndim)


def _python_scalar(value: Any, depth: int) -> Kind:
    kept = type(value) is not int or -_LARGE < value < _LARGE
    return PythonScalarKind(type(value), value if kept else None)


def _string(value: Any, depth: int) -> Kind:
    return StringKind(value if len(value) < MAX_LENGTH else None)


def _by_identity(value: Any, depth: int) -> Kind:
    """The KnownKind of `value`; an ObjectKind if `value` can only be referenced strongly.

    Examples of the latter are getset descriptors of heap types and dtypes with metadata.
    """
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
    """A global function by identity; a nested one by its code, since each call makes a new one."""
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
    """The items of an exact dict; None for any other object, or if the dict changes meanwhile."""
    if namespace is None:
        return ()
    try:
        return tuple(dict.copy(namespace).items()) if type(namespace) is dict else None
    except RuntimeError:  # a finaliser ran and changed the dict while it was copied
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
    return DictKind(_describe_pairs(pairs, depth))


def _describe_pairs(pairs: tuple[tuple[Any, Any], ...], depth: int) -> tuple[tuple[Any, Kind], ...]:
    below = depth + 1 + (len(pairs) > LARGE)
    return tuple((key, _describe(value, below)) for key, value in pairs)


def _slice(value: Any, depth: int) -> Kind:
    parts = (value.start, value.stop, value.step)
    return SliceKind(*(_describe(part, depth + 1) for part in parts))


def _named_tuple(value: Any, depth: int) -> Kind:
    """The kind of a tuple subclass; its items count if it is one of NumPy's named tuples.

    NumPy's functions return some of these: `SVDResult`, `UniqueAllResult`, ….
    """
    kind = type(value)
    module = _DICT_OF(kind).get("__module__")
    plain = type(module) is str and module.partition(".")[0] == "numpy"
    if not plain or "_fields" not in _DICT_OF(kind):
        return ObjectKind(kind)
    if _is_too_much(tuple.__len__(value), depth):
        return UnseenKind(kind)
    return SequenceKind(kind, _items(tuple(tuple.__iter__(value)), depth))


def _instance(value: Any, kind: type, depth: int) -> Kind:
    """The kind of an instance, with its attributes if `object` alone decides how they are read."""
    if not _is_plain_class(kind):
        return ObjectKind(kind)
    if depth >= MAX_DEPTH:
        return UnseenKind(kind)
    try:
        own = _pairs(_own_dict(value, kind)) or ()
        found = {**_slots(value, kind), **{k: v for k, v in own if type(k) is str}}
    except TypeError:  # another thread has assigned to its `__class__`
        return ObjectKind(kind)
    if _is_too_much(len(found), depth):
        return UnseenKind(kind)
    return InstanceKind(kind, _describe_pairs(tuple(found.items()), depth))


def _is_plain_class(kind: type) -> bool:
    """Whether the class and all its bases but `object` are Python classes without attribute hooks.

    Attribute hooks are `__getattribute__`, `__getattr__`, and a name in `__slots__` whose member
    descriptor was replaced.
    """
    if type(kind) is not type or not kind.__flags__ & HEAP_TYPE:
        return False  # Py_TPFLAGS_HEAPTYPE; a static type without PyType_Ready has no __mro__
    for base in _MRO_OF(kind)[:-1]:
        body = _DICT_OF(base)
        if not base.__flags__ & HEAP_TYPE or "__getattribute__" in body or "__getattr__" in body:
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
    """The instance's own attributes; None if it has none, or its class redefines `__dict__`."""
    for base in _MRO_OF(kind)[:-1]:
        getter = _DICT_OF(base).get("__dict__")
        if getter is not None:
            own = type(getter) is types.GetSetDescriptorType
            return own_attributes(value, getter) if own else None
    return None


_LASTING_KINDS: dict[int, KnownKind] = {}
# Classes are looked up by id(): the user's metaclass may define `__hash__` and `__eq__`.
_SCALAR_DTYPES = MappingProxyType(
    {id(np.dtype(char).type): np.dtype(char) for char in NUMERIC_CHARS}
)
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

_BY_TYPE: Mapping[type, Callable[[Any, int], Kind]] = MappingProxyType(
    {
        np.ndarray: _array,
        **dict.fromkeys((bool, int, float, complex), _python_scalar),
        str: _string,
        tuple: _sequence,
        list: _sequence,
        dict: _dict,
        slice: _slice,
        types.FunctionType: _function,
        **dict.fromkeys(_KNOWN_TYPES, _by_identity),
    }
)
_RULES = MappingProxyType({id(kind): rule for kind, rule in _BY_TYPE.items()})
