"""Checks of results against the kinds the tracer inferred, and the two errors that deopt a region.

Invariant: `check(value, kind)` raises unless everything that `kind` says holds for the value, so a
wrong inference costs a deopt and never a wrong answer. Generated Python inlines a cheap test for
the common kinds (`quick_test`) and calls `check` only if that test fails.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any

import numpy as np

from dyntrace.errors import DyntraceError
from dyntrace.graph.kinds import (
    ArrayKind,
    DictKind,
    InstanceKind,
    Kind,
    KnownKind,
    NumbersKind,
    NumpyScalarKind,
    ObjectKind,
    PythonScalarKind,
    SequenceKind,
    SliceKind,
    StringKind,
    UnseenKind,
    is_plain_dtype,
)


class KindMismatch(DyntraceError):
    """A result is not of the kind the tracer inferred; the region deopts."""


class CannotProve(DyntraceError):
    """An operation may fail or differ from eager's; the region deopts before any write."""


def check(value: Any, kind: Kind) -> None:
    """Raise KindMismatch unless `value` is of `kind`."""
    if not matches(value, kind):
        raise KindMismatch(f"expected {kind}, got {type(value).__name__}")


def matches(value: Any, kind: Kind) -> bool:
    """Whether everything `kind` says is true of `value`."""
    test = _TESTS.get(type(kind))
    return test is None or test(value, kind)


def _array(value: Any, kind: ArrayKind) -> bool:
    return (
        type(value) is np.ndarray
        and value.ndim == kind.ndim
        and same_dtype(value.dtype, kind.dtype)
    )


def same_dtype(found: np.dtype[Any], wanted: np.dtype[Any]) -> bool:
    """Equal in type number, byte order and metadata: a C long is not a C long long."""
    return found is wanted or (found.num == wanted.num and is_plain_dtype(found))


def _numpy_scalar(value: Any, kind: NumpyScalarKind) -> bool:
    return type(value) is kind.dtype.type


def _typed(value: Any, kind: Any) -> bool:
    return type(value) is kind.type


def _string(value: Any, kind: Kind) -> bool:
    return type(value) is str


def _known(value: Any, kind: KnownKind) -> bool:
    return value is kind.value


def _sequence(value: Any, kind: SequenceKind) -> bool:
    return _typed(value, kind) and (
        len(value) == len(kind.items)
        and all(matches(item, wanted) for item, wanted in zip(value, kind.items, strict=True))
    )


def _dict(value: Any, kind: DictKind) -> bool:
    return (
        type(value) is dict
        and list(value) == [key for key, _ in kind.items]
        and all(matches(value[key], wanted) for key, wanted in kind.items)
    )


def _slice(value: Any, kind: SliceKind) -> bool:
    return type(value) is slice and (
        matches(value.start, kind.start)
        and matches(value.stop, kind.stop)
        and matches(value.step, kind.step)
    )


_TESTS: Mapping[type, Callable[[Any, Any], bool]] = MappingProxyType(
    {
        ArrayKind: _array,
        NumpyScalarKind: _numpy_scalar,
        PythonScalarKind: _typed,
        StringKind: _string,
        KnownKind: _known,
        SequenceKind: _sequence,
        DictKind: _dict,
        SliceKind: _slice,
        InstanceKind: _typed,
        ObjectKind: _typed,
        UnseenKind: _typed,
        NumbersKind: _typed,
    }
)


def quick_test(name: str, kind: Kind, bind: Callable[[Any], str]) -> str | None:
    """Source that is true if the value of `name` may *not* be of `kind`; None: all values are."""
    if isinstance(kind, ArrayKind):
        dtype = bind(kind.dtype)
        return (
            f"type({name}) is not ndarray or {name}.dtype is not {dtype} "
            f"or {name}.ndim != {kind.ndim}"
        )
    if isinstance(kind, NumpyScalarKind):
        return f"type({name}) is not {bind(kind.dtype.type)}"
    if isinstance(kind, (PythonScalarKind, ObjectKind)):
        return f"type({name}) is not {bind(kind.type)}"
    return "True" if type(kind) in _TESTS else None
