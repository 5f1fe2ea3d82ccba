"""Whose code is it? The user's is optimised; the standard library's, NumPy's and ours is not.

Invariant: told from the module's name alone, without importing or running anything, so that a
program that is merely watched pays next to nothing. Read `programs.sampling` and `compile` next.
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
    """Whether functions with these globals are the user's."""
    module = namespace.get("__name__")
    return type(module) is not str or is_users_name(module)


def is_users_name(module: str) -> bool:
    """Whether a module of this name is the user's."""
    return module.partition(".")[0] not in _UNTOUCHED


def has_work(code: CodeType) -> bool:
    """Whether `code` calls, computes or subscripts anything."""
    return bool(code.co_names) or not _WORKING.isdisjoint(code.co_code[::2])


def is_woven(code: CodeType) -> bool:
    """Whether `code` is compiled code: recorders and handles are among its constants."""
    return any(
        type(constant) is FunctionType or type(constant).__module__.startswith("dyntrace.")
        for constant in code.co_consts
    )
