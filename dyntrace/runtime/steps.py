"""The guard steps of a region entry: where to read a value, and what it must be.

A step is a tuple `(source, a, b, guard, c, d)`. Step k reads a value with `source` and its operands
a and b, checks it with `guard` and its operands c and d, and later steps refer to it by k.
Invariant: a read looks only into dicts, slots, cells and exact built-in containers; it runs no
user-defined descriptor or `__getattr__`. A new source or guard is a function and a row in `SOURCES`
or `GUARDS` (and `NAMED` or `WEAK`), its twin in `_native/region/read.c` or `check.c`, and a row in
`trace.regions.builder`, which makes the steps. Read that next.
"""

from __future__ import annotations

import struct
import sys
import weakref
from collections.abc import Callable, Mapping
from types import (
    CellType,
    FunctionType,
    GetSetDescriptorType,
    MappingProxyType,
    MemberDescriptorType,
    ModuleType,
)
from typing import Any

import numpy as np

from dyntrace.graph.identity import GONE, held, hold
from dyntrace.graph.instances import MISSING, class_lookup, is_data_descriptor
from dyntrace.graph.kinds import is_plain_dtype

Read = Callable[[tuple[Any, ...], list[Any], Any, Any], Any]
Check = Callable[[Any, Any, Any], bool]
CompiledStep = tuple[Read, Any, Any, Check, Any, Any]


class Miss(Exception):
    """A step could not read its value, so its entry does not accept the call."""


# Sources -----------------------------------------------------------------------------------------


def _found(value: Any) -> Any:
    if value is MISSING:
        raise Miss
    return value


def read_argument(args: tuple[Any, ...], values: list[Any], a: int, b: Any) -> Any:
    return _found(args[a] if a < len(args) else MISSING)


def _is_own(name: Any) -> bool:
    return type(name) is str and name.startswith("dyntrace.")


def caller_globals() -> dict[str, Any]:
    """The globals of the frame that called the region."""
    frame = sys._getframe(1)
    while frame.f_back is not None and _is_own(frame.f_globals.get("__name__")):
        frame = frame.f_back
    return frame.f_globals


def read_global(args: tuple[Any, ...], values: list[Any], a: Any, b: str) -> Any:
    """A global or built-in. `a` has the globals: a dict, an earlier step, or None: the caller's."""
    namespace = a if type(a) is dict else caller_globals() if a is None else values[a]
    if type(namespace) is not dict:
        raise Miss
    value = namespace.get(b, MISSING)
    if value is not MISSING:
        return value
    builtins = namespace.get("__builtins__")
    if type(builtins) is ModuleType:
        builtins = builtins.__dict__
    return _found(builtins.get(b, MISSING) if type(builtins) is dict else MISSING)


def read_attribute(args: tuple[Any, ...], values: list[Any], a: int, b: str) -> Any:
    """An attribute in an instance's slots or own dict, where `object.__getattribute__` finds it."""
    base = values[a]
    cls = type(base)
    if issubclass(cls, type):
        raise Miss
    on_class = class_lookup(cls, b)
    if type(on_class) is MemberDescriptorType:
        return _read_slot(on_class, base)
    if on_class is not MISSING and is_data_descriptor(on_class):
        raise Miss
    own = class_lookup(cls, "__dict__")
    if not isinstance(own, (GetSetDescriptorType, MemberDescriptorType)):
        raise Miss
    namespace = own.__get__(base, cls)
    return _found(dict.get(namespace, b, MISSING) if isinstance(namespace, dict) else MISSING)


def read_lacks(args: tuple[Any, ...], values: list[Any], a: int, b: str) -> Any:
    """True if the instance has no attribute `b` of its own; a miss if it has."""
    try:
        read_attribute(args, values, a, b)
    except Miss:
        return True
    raise Miss


def _read_slot(slot: MemberDescriptorType, base: Any) -> Any:
    try:
        return slot.__get__(base, type(base))
    except (AttributeError, TypeError):
        raise Miss from None


def read_module(args: tuple[Any, ...], values: list[Any], a: int, b: str) -> Any:
    if type(values[a]) is not ModuleType:
        raise Miss
    return _found(values[a].__dict__.get(b, MISSING))


def read_cell(args: tuple[Any, ...], values: list[Any], a: int, b: Any) -> Any:
    if type(values[a]) is not CellType:
        raise Miss
    try:
        return values[a].cell_contents
    except ValueError:
        raise Miss from None


def read_item(args: tuple[Any, ...], values: list[Any], a: int, b: Any) -> Any:
    base = values[a]
    if type(base) is dict:
        return _found(base.get(b, MISSING))
    if type(base) not in (tuple, list) or type(b) is not int:
        raise Miss
    return base[b] if -len(base) <= b < len(base) else _found(MISSING)


FUNCTION_PARTS = MappingProxyType(
    {
        "code": "__code__",
        "defaults": "__defaults__",
        "kwdefaults": "__kwdefaults__",
        "closure": "__closure__",
        "globals": "__globals__",
    }
)


def read_function(args: tuple[Any, ...], values: list[Any], a: int, b: str) -> Any:
    if type(values[a]) is not FunctionType:
        raise Miss
    return getattr(values[a], FUNCTION_PARTS[b])


def read_held(args: tuple[Any, ...], values: list[Any], a: Any, b: weakref.ref[Any]) -> Any:
    """The object that the weak reference `b` refers to; a miss if it has died."""
    value = b()
    return _found(MISSING if value is None else value)


def read_type(args: tuple[Any, ...], values: list[Any], a: int, b: Any) -> Any:
    return type(values[a])


def read_class(args: tuple[Any, ...], values: list[Any], a: int, b: str) -> Any:
    """What a class has under the name `b`, itself or by inheritance; descriptors stay unbound."""
    if not isinstance(values[a], type):
        raise Miss
    return _found(class_lookup(values[a], b))


# Guards ------------------------------------------------------------------------------------------
def check_none(value: Any, c: Any, d: Any) -> bool:
    return True


def check_array(value: Any, c: tuple[np.dtype[Any], int], d: int) -> bool:
    wanted, number = c
    if type(value) is not np.ndarray or value.ndim != d:
        return False
    found = value.dtype
    return number == found.num and is_plain_dtype(found) and type(found) is type(wanted)


def check_exact(value: Any, c: type, d: Any) -> bool:
    return type(value) is held(c)


def check_is(value: Any, c: Any, d: Any) -> bool:
    return value is held(c)


SCALARS = tuple(np.dtype(char).type for char in "?bhilqBHILQefdFD")
BITWISE: Mapping[type, Callable[[Any], bytes]] = MappingProxyType(
    {
        float: lambda value: struct.pack("d", value),
        complex: lambda value: struct.pack("dd", value.real, value.imag),
        slice: lambda value: b"",
        **{scalar: lambda value: value.tobytes() for scalar in SCALARS},
    }
)


def check_value(value: Any, c: Any, d: Any) -> bool:
    """The same exact type and bits as the constant `c`; other objects must be identical to it."""
    if value is c:
        return True
    cls = type(value)
    if cls is not type(c):
        return False
    if cls in (int, str, bytes):
        return bool(value == c)
    if cls is tuple:
        return len(value) == len(c) and all(map(check_value, value, c, c))
    if cls is slice:
        parts = (value.start, value.stop, value.step)
        return all(map(check_value, parts, (c.start, c.stop, c.step), parts))
    return cls in BITWISE and BITWISE[cls](value) == BITWISE[cls](c)


def check_sequence(value: Any, c: type, d: int) -> bool:
    if type(value) is not held(c):
        return False
    for builtin in (tuple, list, dict):
        if issubclass(type(value), builtin):
            length: Callable[[Any], int] = builtin.__len__  # never a __len__ of the subclass
            return length(value) == d
    return False


def check_keys(value: Any, c: tuple[Any, ...], d: Any) -> bool:
    """An exact dict with these keys in this order."""
    return type(value) is dict and check_value(tuple(value), c, None)


def fingerprint(cls: type) -> tuple[Any, ...]:
    """All that reads of an instance's attributes depend on: each class in the MRO and its dict."""
    return tuple(
        (hold(base), *((name, _identity_of(value)) for name, value in base.__dict__.items()))
        for base in cls.__mro__
    )


def _identity_of(value: Any) -> tuple[Any, ...]:
    """What identifies `value`, an item of a class's dict, without keeping it alive.

    A value that cannot be referenced weakly (a property, a list) is identified by address and type.
    Its address may be reused; that is harmless, since only its type matters: regions read the value
    again.
    """
    try:
        return (hold(value),)
    except TypeError:
        return (id(value), hold(type(value)))


def check_plain(value: Any, c: tuple[Any, tuple[Any, ...]], d: Any) -> bool:
    """An instance of exactly this class, whose MRO and class dicts have not changed."""
    cls, then = c
    if type(value) is not held(cls):
        return False
    now = fingerprint(type(value))
    return len(now) == len(then) and all(map(_same_class, now, then))


def _same_class(one: tuple[Any, ...], other: tuple[Any, ...]) -> bool:
    if one[0] is not other[0] or len(one) != len(other):
        return False
    pairs = zip(one[1:], other[1:], strict=True)
    return all(a[0] == b[0] and _same_identity(a[1], b[1]) for a, b in pairs)


def _same_identity(one: tuple[Any, ...], other: tuple[Any, ...]) -> bool:
    if len(one) != len(other) or one[-1] is not other[-1]:
        return False
    return len(one) == 1 or one[0] == other[0]


# Compilation -------------------------------------------------------------------------------------
SOURCES: Mapping[str, Read] = MappingProxyType(
    {
        "argument": read_argument,
        "global": read_global,
        "attribute": read_attribute,
        "lacks": read_lacks,
        "module": read_module,
        "cell": read_cell,
        "item": read_item,
        "function": read_function,
        "held": read_held,
        "type": read_type,
        "class": read_class,
    }
)
GUARDS: Mapping[str, Check] = MappingProxyType(
    {
        "none": check_none,
        "array": check_array,
        "exact": check_exact,
        "is": check_is,
        "value": check_value,
        "sequence": check_sequence,
        "plain": check_plain,
        "keys": check_keys,
    }
)
WEAK = frozenset({"exact", "is", "plain", "sequence"})  # guards whose c may be a weak reference
NAMED = frozenset({"global", "attribute", "lacks", "module", "class"})


def compile_step(step: tuple[Any, ...], position: int) -> CompiledStep:
    """The functions of a step with their operands; TypeError or ValueError if it is malformed."""
    if type(step) is not tuple or len(step) != 6:
        raise TypeError("a step is a tuple (source, a, b, guard, c, d)")
    source, a, b, guard, c, d = step
    if source not in SOURCES:
        raise ValueError(f"unknown source {source!r} in a step")
    if guard not in GUARDS:
        raise ValueError(f"unknown guard {guard!r} in a step")
    _check_source(source, a, b, position)
    return (SOURCES[source], a, b, GUARDS[guard], _operand(guard, c, d), d)


def _check_source(source: str, a: Any, b: Any, position: int) -> None:
    if source == "held":
        if type(b) is not weakref.ref:
            raise TypeError("what is held is held by a weak reference")
    elif source == "global" and (a is None or type(a) is dict):
        pass
    elif type(a) is not int:
        raise TypeError("a step refers to an argument or an earlier step by number")
    elif a < 0 or (source != "argument" and a >= position):
        raise ValueError("a step refers to a step that is not before it")
    if source in NAMED and type(b) is not str:
        raise TypeError("a name must be a string")
    if source == "function" and (type(b) is not str or b not in FUNCTION_PARTS):
        raise ValueError("unknown part of a function")
    if source == "item" and type(b) not in (int, str):
        raise TypeError("an item is named by an int or a string")


def _operand(guard: str, c: Any, d: Any) -> Any:
    """The operand `c` in the form that the guard's function takes."""
    kept, c = c, held(c) if guard in WEAK else c
    if c is GONE:
        return kept if guard != "plain" else (kept, ())
    if guard in ("exact", "plain", "sequence") and not isinstance(c, type):
        raise TypeError("the guard needs a type")
    if guard == "keys" and type(c) is not tuple:
        raise TypeError("the keys guard needs a tuple")
    if guard in ("array", "sequence") and type(d) is not int:
        raise TypeError("the guard needs a number")
    if guard == "array":
        if not isinstance(c, np.dtype):
            raise TypeError("the array guard needs a dtype")
        return (c, c.num if is_plain_dtype(c) else -1)
    if guard == "sequence" and not issubclass(c, (tuple, list, dict)):
        raise TypeError("the sequence guard needs a tuple, list or dict type")
    return (kept, fingerprint(c)) if guard == "plain" else kept
