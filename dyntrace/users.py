"""Whose code is it? Code of the standard library, NumPy, SciPy and dyntrace is left alone.

All other code is the user's, and dyntrace optimises only that: `functions.eligibility` and
`programs.sampling` ask here. Invariant: the module's name decides, without importing or running
anything, so it costs a watched program next to nothing.
"""

from __future__ import annotations

import sys
from opcode import opmap
from types import CodeType, FunctionType
from typing import Any

__all__ = ["has_work", "is_users_module", "is_users_name", "is_woven"]

_UNTOUCHED = frozenset(sys.stdlib_module_names) - {"__main__"} | {"numpy", "scipy", "dyntrace"}
_WORKING_NAMES = ("BINARY_", "STORE_S", "COMPARE")
_WORKING = frozenset(number for name, number in opmap.items() if name.startswith(_WORKING_NAMES))


def is_users_module(namespace: dict[str, Any]) -> bool:
    """Whether functions with these globals are the user's; True if they name no module."""
    module = namespace.get("__name__")
    return type(module) is not str or is_users_name(module)


def is_users_name(module: str) -> bool:
    """Whether a module of this name is the user's."""
    return module.partition(".")[0] not in _UNTOUCHED


def has_work(code: CodeType) -> bool:
    """Whether `code` reads any name or attribute, computes, compares or subscripts."""
    return bool(code.co_names) or not _WORKING.isdisjoint(code.co_code[::2])


def is_woven(code: CodeType) -> bool:
    """Whether dyntrace wove `code`: it has a recorder, a handle or a helper as a constant.

    The compiler of CPython never makes a function a constant.
    """
    return any(
        type(constant) is FunctionType or type(constant).__module__.startswith("dyntrace.")
        for constant in code.co_consts
    )
