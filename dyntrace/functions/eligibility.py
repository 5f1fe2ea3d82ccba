"""Eligibility: which functions dyntrace compiles or copies at all.

Read `functions.family` for who asks.
"""

from __future__ import annotations

import builtins
import operator
from types import CodeType, FunctionType
from typing import Any

from dyntrace.users import has_work, is_users_module, is_woven

__all__ = ["is_ordinary", "is_users", "may_do_work"]

_BUILTINS_OF = operator.attrgetter("__builtins__")


def is_users(code: CodeType, namespace: dict[str, Any]) -> bool:
    """Whether code is the user's, not the standard library's or NumPy's, and may do work."""
    return is_users_module(namespace) and may_do_work(code)


def may_do_work(code: CodeType) -> bool:
    """Whether `code` calls, computes or subscripts anything, and is no code of ours."""
    return has_work(code) and not is_woven(code)


def is_ordinary(function: FunctionType) -> bool:
    """Whether each free variable has a cell of its own, and built-ins are where globals say."""
    cells = function.__closure__ or ()
    found = function.__globals__.get("__builtins__", builtins)
    own: Any = _BUILTINS_OF(function)
    return len({id(cell) for cell in cells}) == len(cells) and own is getattr(
        found, "__dict__", found
    )
