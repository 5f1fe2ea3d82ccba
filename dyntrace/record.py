"""Records: classes that consist of their annotated fields, as `dataclasses` makes them but sooner.

`dataclasses` writes and compiles four to seven functions for each class, which took most of the
time of importing dyntrace. Here one function for each *number* of fields is compiled, and a class
gets a copy of it with its own names in place; records of many fields, which are rarely compared,
share one `==` and one `hash`. Invariant: a record has slots and nothing else; that
`frozen` ones are not written is checked by mypy, not while the program runs.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from operator import attrgetter
from types import CodeType, FunctionType
from typing import Any, TypeVar, dataclass_transform

__all__ = ["field", "record", "replace"]

FEW = 3
Class = TypeVar("Class", bound=type)
Instance = TypeVar("Instance")


class _Absent:
    """Stands for a default that was not given."""


class _Field:
    """What `field` says of one field; as a default it stands for what its `make` returns."""

    __slots__ = ("compare", "default", "make", "repr")

    def __init__(self, default: Any, make: Any, compare: bool, repr: bool) -> None:
        self.default = default
        self.make = make
        self.compare = compare
        self.repr = repr


def field(
    *, default: Any = _Absent, default_factory: Any = None, compare: bool = True, repr: bool = True
) -> Any:
    """A field that is not only a name: `default_factory` is called for each record made without it.

    `compare` is whether it takes part in `==` and `hash`, `repr` whether it is printed.
    """
    return _Field(default, default_factory, compare, repr)


@dataclass_transform(field_specifiers=(field,))
def record(
    *, frozen: bool = False, eq: bool = True, init: bool = True, weakref_slot: bool = False
) -> Callable[[Class], Class]:
    """Decorate a class: the arguments mean what they mean for `dataclasses.dataclass`.

    What the class defines itself is kept. The class is made anew, to have slots, so its methods
    cannot use `super()` without arguments.
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


# From the number of fields to the functions of a class --------------------------------------------
_TEXTS = {  # of functions of a record: the whole, and a line for each field
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


@cache
def _compiled(purpose: str, count: int) -> CodeType:
    """The code of a function for records of `count` fields, which are called `_0`, `_1`, …."""
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
    """The function of class `cls` for these fields; their names stand behind all others."""
    code = _compiled(purpose, len(fields))
    others = len(code.co_names) - len(fields)
    parameters = len(code.co_varnames) - (len(fields) if purpose.startswith("init") else 0)
    code = code.replace(
        co_names=(*code.co_names[:others], *fields),
        co_varnames=(*code.co_varnames[:parameters], *fields)[: len(code.co_varnames)],
        co_qualname=f"{cls.__qualname__}.{code.co_name}",
    )
    return FunctionType(code, globals(), code.co_name)
