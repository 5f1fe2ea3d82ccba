"""What is attached to functions for the tracer: a `Tag`, a "left alone" mark, the original code.

Invariant: all of it dies with the function. The tag is in the function's own dict, the mark in its
code, and the original code is referenced weakly. Read `functions.optimised`, which sets tags, next.
"""

from __future__ import annotations

import types
import weakref
from typing import Any, cast

from dyntrace.graph.identity import ByIdentity

__all__ = [
    "TAG",
    "Tag",
    "code_of",
    "graph_break",
    "is_disabled",
    "is_graph_break",
    "is_left_alone",
    "is_optimised",
    "left_alone",
    "original_of",
    "remember_original",
    "tag_of",
]

TAG = "__dyntrace__"
_LEFT_ALONE = ("dyntrace.disable",)
_originals: ByIdentity[weakref.ref[types.CodeType]] = ByIdentity()


class Tag:
    """An optimised function's compiled code, its family, and the function it was made from.

    `functools.wraps` copies a function's dict and the tag in it. So a tag names its owner, and
    `tag_of` ignores it on any other function. A pickled or copied tag is empty.
    """

    __slots__ = ("compiled", "family", "original", "owner")

    def __init__(self, compiled: Any = None, family: Any = None, original: Any = None) -> None:
        self.compiled = compiled
        self.family = family
        self.original = original
        self.owner: Any = None

    def __reduce__(self) -> tuple[type[Tag], tuple[()]]:
        return (Tag, ())


def tag_of(function: Any) -> Tag | None:
    """The tag of an optimised function, else None."""
    found = getattr(function, "__dict__", {}).get(TAG)
    owned = isinstance(found, Tag) and found.owner is not None and found.owner() is function
    return found if owned else None


def graph_break() -> None:
    """End the region here: a graph break. The call itself does nothing."""


def is_graph_break(function: types.FunctionType) -> bool:
    return function is graph_break


def is_disabled(function: types.FunctionType) -> bool:
    return is_left_alone(function.__code__)


def left_alone(code: types.CodeType) -> types.CodeType:
    """A copy of `code` that the tracer and the frame hook do not compile."""
    return code.replace(co_consts=(*code.co_consts, _LEFT_ALONE))


def is_left_alone(code: types.CodeType) -> bool:
    return bool(code.co_consts) and code.co_consts[-1] == _LEFT_ALONE


def is_optimised(function: types.FunctionType) -> bool:
    """Whether a function runs compiled code; not if the user has assigned its `__code__`."""
    tag = tag_of(function)
    return tag is not None and function.__code__ is tag.compiled.code


def remember_original(code: types.CodeType, original: types.CodeType) -> None:
    """Note that `code` is a version of the user's `original`, for `original_of`."""
    if code is not original:
        _originals.set(code, weakref.ref(original))


def original_of(code: types.CodeType) -> types.CodeType | None:
    """The user's code that `code` is a version of, or None."""
    original = _originals.get(code)
    return None if original is None else original()


def code_of(function: types.FunctionType) -> types.CodeType:
    """The code that the user wrote for a function."""
    tag = tag_of(function)
    if tag is None or not is_optimised(function):
        return original_of(function.__code__) or function.__code__
    return cast(types.CodeType, tag.compiled.original)
