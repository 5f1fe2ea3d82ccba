"""Optimised functions: like the user's in every respect, with compiled code for their own.

Read `functions.family` for the code.
"""

from __future__ import annotations

import weakref
from types import FunctionType

from dyntrace.functions.eligibility import is_ordinary
from dyntrace.functions.family import Family
from dyntrace.trace.marks import TAG, Tag

__all__ = ["optimised"]


def optimised(function: FunctionType, family: Family) -> FunctionType:
    """A function like `function` in every respect, whose code holds regions once it has run."""
    if not is_ordinary(function):
        return function
    compiled = family.compiled(function.__code__, function.__globals__)
    fast = FunctionType(
        compiled.code,
        function.__globals__,
        function.__name__,
        function.__defaults__,
        function.__closure__,
    )
    fast.__kwdefaults__ = function.__kwdefaults__
    fast.__dict__.update(function.__dict__)
    fast.__doc__ = function.__doc__
    fast.__annotations__ = function.__annotations__
    fast.__module__ = function.__module__
    fast.__qualname__ = function.__qualname__
    if hasattr(function, "__type_params__"):
        fast.__type_params__ = function.__type_params__  # type: ignore[attr-defined]
    fast.__dict__["__wrapped__"] = function
    tag = fast.__dict__[TAG] = Tag(compiled, family, function)
    tag.owner = weakref.ref(fast)
    compiled.versions.functions.add(fast)
    fast.__code__ = compiled.code
    return fast
