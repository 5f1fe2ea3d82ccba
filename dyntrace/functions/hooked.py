"""Hooked: the compiled code of frames that are reached through the frame hook (PEP 523).

Read `runtime.handles` for the hook.
"""

from __future__ import annotations

import weakref
from types import CodeType
from typing import Any

from dyntrace.functions.eligibility import may_do_work
from dyntrace.functions.family import Family
from dyntrace.runtime.handles import hook_forget, hook_set
from dyntrace.trace.marks import is_left_alone
from dyntrace.users import is_users_module

__all__ = ["Hooked"]


class Hooked:
    """The compiled code of frames that are reached through the frame hook, by code object."""

    def __init__(self, backend: str) -> None:
        self.family = Family(backend, fullgraph=False)

    def replacement(self, code: CodeType, namespace: dict[str, Any]) -> CodeType | None:
        """The code to run for a frame of `code`, the first time one is entered."""
        if not is_users_module(namespace) or code.co_name == "<module>" or is_left_alone(code):
            return None
        if not may_do_work(code):
            return None
        compiled = self.family.compiled(code, namespace)
        code_of, address = weakref.ref(code), id(namespace)

        def use(new: CodeType) -> None:
            alive = code_of()
            if alive is not None:
                hook_set(alive, new, address)

        compiled.versions.on_new_code = use
        return None if compiled.given_up else compiled.code

    def forget(self) -> None:
        """Have the hook ask again about every frame it asked this about."""
        for compiled in self.family.all_compiled():
            compiled.versions.on_new_code = None
            hook_forget(compiled.original)
