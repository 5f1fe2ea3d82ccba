"""Records: classes made of annotated fields, like dataclasses but much cheaper to define.

`dataclasses` generates and compiles four to seven functions for each class, which took most of the
time of importing dyntrace. This module compiles one function for each *number* of fields; a class
gets a copy of its code with the field names put in. Records of more than FEW fields, which are
rarely compared, share one `__eq__` and one `__hash__`. Invariant: a record has `__slots__` and no
`__dict__`. mypy checks that nothing assigns to a `frozen` record; at run time nothing does.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from operator import attrgetter
from types import CodeType, FunctionType, MappingProxyType
from typing import Any, TypeVar, dataclass_transform

__all__ = ["field", "record", "replace"]

FEW = 3
Class = TypeVar("Class", bound=type)
Instance = TypeVar("Instance")


class _Absent:
    """The marker of a field without a default."""


class _Field:
    """The result of `field`; as a default argument it asks for a call of `make`."""

    __slots__ = ("compare", "default", "make", "repr")

    def __init__(self, default: Any, make: Any, compare: bool, repr: bool) -> None:
        self.default = default
        self.make = make
        self.compare = compare
        self.repr = repr


def field(
    *, default: Any = _Absent, default_factory: Any = None, compare: bool = True, repr: bool = True
) -> Any:
    """A field with options, which mean what they mean for `dataclasses.field`.

    `default_factory` makes the default anew for each record; `compare` says whether the field takes
    part in `==` and `hash`, `repr` whether it is printed.
    """
    return _Field(default, default_factory, compare, repr)


@dataclass_transform(field_specifiers=(field,))
def record(
    *, frozen: bool = False, eq: bool = True, init: bool = True, weakref_slot: bool = False
) -> Callable[[Class], Class]:
    """A class decorator; the arguments mean what they mean for `dataclasses.dataclass`.

    Methods that the class defines itself are kept. The decorator creates a new class, since slots
    cannot be added to one, so the methods cannot use `super()` without arguments.
    """

    def decorate(cls: Class) -> Class:
        fields = _fields_of(cls)
        own = tuple(cls.__annotations__)
        namespace = dict(cls.__dict__)
        for name in ("__dict__", "__weakref__", *own):
            namespace.pop(name, None)
        namespace["__qualname__"] = cls.__qualname__
        namespace["__slots__"] = (*own, "__weakref__") if weakref_slot else own
        namespace["__record_fields__"] = fields
        namespace.setdefault("__repr__", _repr)
        if init:
            namespace.setdefault("__init__", _init(cls, fields))
        if eq:
            compared = tuple(name for name, field in fields.items() if field.compare)
            few = len(compared) <= FEW
            namespace["__record_key__"] = None if few else attrgetter(*compared)
            namespace.setdefault("__eq__", _named(cls, "eq", compared) if few else _equal)
            if namespace.get("__hash__") is None:  # what a class with its own `__eq__` has
                hashed = _named(cls, "hash", compared) if few else _hashed
                namespace["__hash__"] = hashed if frozen else None
        made: Class = type(cls)(cls.__name__, cls.__bases__, namespace)
        return made

    return decorate


def replace(record: Instance, **changes: Any) -> Instance:
    """A record like `record` with other values in some of its fields."""
    cls: Any = type(record)
    kept = {name: getattr(record, name) for name in cls.__record_fields__ if name not in changes}
    found: Instance = cls(**kept, **changes)
    return found


def _fields_of(cls: type) -> dict[str, _Field]:
    """The fields of a class by name, inherited ones first."""
    fields = dict(getattr(cls, "__record_fields__", {}))
    for name in cls.__annotations__:
        default = cls.__dict__.get(name, _Absent)
        fields[name] = default if type(default) is _Field else _Field(default, None, True, True)
    return fields


def _init(cls: type, fields: dict[str, _Field]) -> FunctionType:
    makes = any(field.make is not None for field in fields.values())
    function = _named(cls, "init_making" if makes else "init", tuple(fields))
    defaults = (field if field.make else field.default for field in fields.values())
    function.__defaults__ = tuple(value for value in defaults if value is not _Absent)
    return function


def _equal(self: Any, other: Any) -> Any:
    if other.__class__ is not self.__class__:
        return NotImplemented
    key = self.__record_key__
    return key(self) == key(other)


def _hashed(self: Any) -> int:
    return hash(self.__record_key__(self))


def _repr(self: Any) -> str:
    fields = self.__record_fields__.items()
    parts = (f"{name}={getattr(self, name)!r}" for name, field in fields if field.repr)
    return f"{type(self).__qualname__}({', '.join(parts)})"


# Functions for a number of fields -----------------------------------------------------------------
_TEXTS = MappingProxyType(
    {  # templates of a record's functions: the function, and its line for each field
        "init": ("def __init__(self, {parameters}):{lines}", "\n self.{0} = {0}"),
        "init_making": (
            "def __init__(self, {parameters}):{lines}",
            "\n self.{0} = {0}.make() if type({0}) is _Field else {0}",
        ),
        "eq": (
            "def __eq__(self, other):\n if other.__class__ is not self.__class__:"
            "\n  return NotImplemented\n return ({mine}) == ({others})",
            "",
        ),
        "hash": ("def __hash__(self):\n return hash(({mine}))", ""),
    }
)


@cache
def _compiled(purpose: str, count: int) -> CodeType:
    """The code of function `purpose` for `count` fields, under the names `_0`, `_1`, …."""
    names = [f"_{number}" for number in range(count)]
    whole, line = _TEXTS[purpose]
    text = whole.format(
        parameters=", ".join(names),
        lines="".join(line.format(name) for name in names) or "\n pass",
        mine="".join(f"self.{name}, " for name in names),
        others="".join(f"other.{name}, " for name in names),
    )
    module = compile(text, "<dyntrace record>", "exec")
    return next(constant for constant in module.co_consts if isinstance(constant, CodeType))


def _named(cls: type, purpose: str, fields: tuple[str, ...]) -> FunctionType:
    """The function `purpose` of class `cls`: compiled code with the names of `fields` put in.

    The compiler puts `_0`, `_1`, … last: behind `_Field` and `make` in `co_names`, behind `self` in
    `co_varnames`.
    """
    code = _compiled(purpose, len(fields))
    others = len(code.co_names) - len(fields)
    parameters = len(code.co_varnames) - (len(fields) if purpose.startswith("init") else 0)
    code = code.replace(
        co_names=(*code.co_names[:others], *fields),
        co_varnames=(*code.co_varnames[:parameters], *fields)[: len(code.co_varnames)],
        co_qualname=f"{cls.__qualname__}.{code.co_name}",
    )
    return FunctionType(code, globals(), code.co_name)
