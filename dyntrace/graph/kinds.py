"""Kinds: what the tracer believes about a value, without holding the value.

Objects are held weakly (`graph.identity`): what a kind knows of one that has died is `GONE`.
A kind is a speculation. It decides what may be absorbed into a region; a guard (for inputs) or a
check by the executor (for results) makes it true before anything is stored. Kinds compare by
structure; `example` fields never take part, so that two calls with other numbers have equal kinds.
Read `graph.node` next.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from types import CodeType, MappingProxyType
from typing import Any

import numpy as np

from dyntrace.graph.identity import GONE, Gone, Namespace, held, hold
from dyntrace.record import field, record, replace

_set = object.__setattr__  # frozen records set their own fields so


@record(frozen=True)
class Kind:
    """Nothing is known: a real object that may be moved about but not looked into."""


UNKNOWN = Kind()


@record(frozen=True)
class ArrayKind(Kind):
    """An exact `numpy.ndarray` of a builtin numeric or bool dtype in native byte order."""

    dtype: np.dtype[Any]
    ndim: int

    def with_(self, **changes: Any) -> ArrayKind:
        return replace(self, **changes)


@record(frozen=True)
class NumpyScalarKind(Kind):
    """An exact NumPy scalar (`numpy.float64`, `numpy.bool`, …) of a numeric or bool dtype."""

    dtype: np.dtype[Any]


@record(frozen=True)
class PythonScalarKind(Kind):
    """An exact `int`, `float`, `complex` or `bool`; `example` is the value seen, for reads."""

    type: type
    example: Any = field(default=None, compare=False)


@record(frozen=True)
class StringKind(Kind):
    """An exact `str`; `example` is the value seen, for reads."""

    example: str | None = field(default="", compare=False)


@record(frozen=True, init=False, eq=False)
class KnownKind(Kind):
    """One particular object: None, Ellipsis, a dtype, a function, a class, a module, a built-in.

    TypeError if the object can only be held by keeping it alive.
    """

    holder: Any

    def __init__(self, value: Any) -> None:
        _set(self, "holder", hold(value))

    @property
    def value(self) -> Any:
        return held(self.holder)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, KnownKind) and self.holder is other.holder

    def __hash__(self) -> int:
        return hash((KnownKind, id(self.holder)))


@record(frozen=True, init=False, eq=False)
class _OfType(Kind):
    """A value of an exact type."""

    holder: Any

    def __init__(self, type: type) -> None:
        _set(self, "holder", hold(type))

    @property
    def type(self) -> Any:
        """The type; for one that has died a type without instances, which answers all the same."""
        found = held(self.holder)
        return Gone if found is GONE else found

    def _parts(self) -> tuple[Any, ...]:
        return ()

    def __eq__(self, other: object) -> bool:
        if self.__class__ is not other.__class__ or not isinstance(other, _OfType):
            return False
        return self.holder is other.holder and self._parts() == other._parts()

    def __hash__(self) -> int:
        return hash((self.__class__, id(self.holder), self._parts()))


@record(frozen=True, init=False, eq=False)
class SequenceKind(_OfType):
    """An exact tuple or list, or the named tuple NumPy returned, with its items' kinds."""

    items: tuple[Kind, ...]

    def __init__(self, type: type, items: tuple[Kind, ...]) -> None:
        _set(self, "holder", hold(type))
        _set(self, "items", items)

    def _parts(self) -> tuple[Any, ...]:
        return self.items


@record(frozen=True)
class DictKind(Kind):
    """An exact dict with constant (str or int) keys."""

    items: tuple[tuple[Any, Kind], ...]


@record(frozen=True)
class SliceKind(Kind):
    """An exact slice."""

    start: Kind
    stop: Kind
    step: Kind


@record(frozen=True, init=False, eq=False)
class InstanceKind(_OfType):
    """An instance of a plain Python class, with the attributes found in its dict or slots."""

    attributes: tuple[tuple[str, Kind], ...]

    def __init__(self, type: type, attributes: tuple[tuple[str, Kind], ...]) -> None:
        _set(self, "holder", hold(type))
        _set(self, "attributes", attributes)

    def _parts(self) -> tuple[Any, ...]:
        return self.attributes


@record(frozen=True, init=False, eq=False)
class FunctionKind(Kind):
    """A function made inside another: known by its code, which every such function shares.

    `namespace` finds its globals, `defaults` and `keyword_defaults` are the kinds of its defaults,
    `closure` those of its cells' contents.
    """

    holder: Any
    namespace: Namespace
    defaults: tuple[Kind, ...]
    keyword_defaults: tuple[tuple[str, Kind], ...]
    closure: tuple[Kind, ...]

    def __init__(
        self,
        code: CodeType,
        namespace: dict[str, Any],
        defaults: tuple[Kind, ...] = (),
        keyword_defaults: tuple[tuple[str, Kind], ...] = (),
        closure: tuple[Kind, ...] = (),
    ) -> None:
        _set(self, "holder", hold(code))
        _set(self, "namespace", Namespace(namespace))
        _set(self, "defaults", defaults)
        _set(self, "keyword_defaults", keyword_defaults)
        _set(self, "closure", closure)

    @property
    def code(self) -> Any:
        return held(self.holder)

    def _parts(self) -> tuple[Any, ...]:
        return (self.defaults, self.keyword_defaults, self.closure)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, FunctionKind) or self.holder is not other.holder:
            return False
        return self._parts() == other._parts()

    def __hash__(self) -> int:
        return hash((FunctionKind, id(self.holder), self._parts()))


class ObjectKind(_OfType):
    """An object of an exact type that nothing more is known of."""

    __slots__ = ()


class UnseenKind(ObjectKind):
    """A container or plain instance that is too large, or nested too deeply, to be looked into."""

    __slots__ = ()


@record(frozen=True)
class NumbersKind(Kind):
    """An exact list or tuple of any length; a loop expects its items to be exact `item`s."""

    item: type
    type: type


NUMERIC_CHARS = "?bhilqBHILQpPefdgFDG"  # dtypes with builtin numeric loops
_LAST_NUMBER = np.dtype(np.half).num  # of the dtypes that NumPy is built with
NUMPY_KINDS = (ArrayKind, NumpyScalarKind)
SCALAR_KINDS = (NumpyScalarKind, PythonScalarKind)
NUMERIC_KINDS = (ArrayKind, NumpyScalarKind, PythonScalarKind)


def is_plain_dtype(dtype: np.dtype[Any]) -> bool:
    """Whether kinds can stand for arrays of `dtype`: its number says all there is to know of it.

    So it is of each copy of NumPy's own bools and numbers, such as an unpickled one. The other byte
    order, metadata, and fields of a number (`np.dtype((np.int32, {...}))`) are not plain: results
    carry them on, and a kind forgets them. A dtype from elsewhere has another number.
    """
    if dtype.char not in NUMERIC_CHARS or not dtype.isnative or dtype.names is not None:
        return False
    return dtype.metadata is None and 0 <= dtype.num <= _LAST_NUMBER


def is_array_subclass(kind: Kind) -> bool:
    """Whether it is an instance of a subclass of ndarray, such as a masked array."""
    held = kind.type if isinstance(kind, ObjectKind) else None
    return isinstance(held, type) and held is not np.ndarray and issubclass(held, np.ndarray)


def has_unseen_items(kind: Kind) -> bool:
    """Whether it was too large or too deep to be described, or is a container of unknown items."""
    return isinstance(kind, UnseenKind) or (
        isinstance(kind, ObjectKind) and kind.type in (tuple, list, dict)
    )


def is_not_numeric(kind: Kind) -> bool:
    """Whether it is an array or scalar of NumPy's that holds no numbers in native byte order."""
    held = kind.type if isinstance(kind, ObjectKind) else None
    return isinstance(held, type) and (held is np.ndarray or issubclass(held, np.generic))


def type_name(kind: Kind) -> str:
    """The name of the type that a value of this kind has, for messages."""
    match kind:
        case NumpyScalarKind(dtype=dtype):
            return dtype.name
        case KnownKind(value=value):
            return type(value).__name__
    held = getattr(kind, "type", object)
    return _NAMES.get(type(kind), str(held.__name__))


_NAMES: Mapping[type[Kind], str] = MappingProxyType(
    {
        ArrayKind: "ndarray",
        StringKind: "str",
        DictKind: "dict",
        SliceKind: "slice",
        FunctionKind: "function",
    }
)


def leaves(kind: Kind) -> Iterator[Kind]:
    """The kinds inside `kind`, itself included."""
    yield kind
    match kind:
        case SequenceKind(items=items):
            for item in items:
                yield from leaves(item)
        case DictKind(items=pairs):
            for _, item in pairs:
                yield from leaves(item)
        case SliceKind():
            for item in (kind.start, kind.stop, kind.step):
                yield from leaves(item)


def examples(kind: Kind) -> list[tuple[type, str]]:
    """The values of numbers and strings that were seen in something of this kind."""
    found = [getattr(leaf, "example", None) for leaf in leaves(kind)]
    return [(type(example), repr(example)) for example in found]


def is_same(one: Kind, other: Kind) -> bool:
    """Whether two kinds are equal, with the same values of numbers and strings seen."""
    return one is other or (one == other and examples(one) == examples(other))
