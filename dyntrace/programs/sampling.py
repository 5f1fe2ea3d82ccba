"""Sampling: a program runs as it is, and a look every few milliseconds finds its warm code.

The native sampler (`_sampler/sampler.c`) calls `Sampling.candidate` once for each code object it
meets, and `Sampling.warm` for one that several looks have met. The first warm code that deals with
arrays has the tracer imported, once the budget allows it. Invariant: until then the package has
imported this module, `glance` and the small top-level modules below only. Read `serving` next.
"""

from __future__ import annotations

import atexit
import importlib
import os
import sys
from _thread import get_ident
from collections.abc import Callable
from time import perf_counter
from types import CodeType, FunctionType
from typing import TYPE_CHECKING, Any

from dyntrace import config
from dyntrace.budget import UNLIMITED, Budget, cost_of
from dyntrace.isolation import isolated_imports
from dyntrace.programs.glance import meets_arrays
from dyntrace.users import has_work, is_users_module, is_users_name, is_woven

if TYPE_CHECKING:
    from dyntrace.programs.accounts import Accounts
    from dyntrace.programs.serving import Service

__all__ = ["Sampling", "shielded"]

INTERVAL = 2000  # microseconds
SAMPLES = 3  # code is warm when this many looks have met it
IMPORT_COST = 0.035  # seconds of processor time that importing the tracer takes, measured


NO_FIGURES = "dyntrace: no figures, since the native module is not in use"


class Sampling:
    """One program under the sampler; its methods are the sampler's callbacks."""

    def __init__(self, backend: str = "numpy", accounts: Accounts | None = None) -> None:
        self.budget = Budget()
        self.backend = backend
        self.service: Service | None = None
        self.accounts = accounts
        self.serves, self.thread = True, get_ident()

    def start(self, serves: bool = True) -> bool:
        """Start the sampler; False if it is not built or its thread cannot start.

        serves  compile warm code; else only keep the accounts, and False if there are none
        """
        if not config.native or not config.sampler or not (serves or self.accounts):
            return False
        import dyntrace._sampler as _sampler

        self.serves, self.thread = serves, get_ident()
        candidate, warm = shielded(self.candidate, False), shielded(self.warm, False)
        tally = None if self.accounts is None else shielded(self.accounts.note, None)
        if not _sampler.start(candidate, warm, INTERVAL, SAMPLES, tally):
            return False
        atexit.register(_sampler.stop)
        os.register_at_fork(
            before=_sampler.hold,
            after_in_parent=_sampler.release_parent,
            after_in_child=_sampler.release_child,
        )
        return True

    def candidate(self, code: CodeType, namespace: dict[str, Any]) -> bool:
        """Whether looks should count this code: it is the user's, and has work in it."""
        if self.service is not None and self.service.has_made(code):
            return self.serves
        if code.co_name == "<module>" or not is_users_module(namespace):
            return False
        found = has_work(code) and not _is_ours(code)
        if found and self.accounts is not None:
            self.accounts.candidates += 1
        return found and self.serves

    def warm(
        self,
        code: CodeType,
        function: FunctionType | None,
        namespace: dict[str, Any],
        values: dict[int, Any],
    ) -> bool | None:
        """Have warm code compiled; False to leave it alone for good, None if it has to wait.

        `values` are those of the frame's slots, by index.
        """
        if self.service is not None and self.service.has_made(code):
            return self.service.go_on(code, namespace)
        answer = self._serve_if_affordable(code, function, namespace, values)
        if self.accounts is not None:
            self.accounts.judge(code, answer)
        return answer

    def _serve_if_affordable(
        self,
        code: CodeType,
        function: FunctionType | None,
        namespace: dict[str, Any],
        values: dict[int, Any],
    ) -> bool | None:
        if "threading" not in sys.modules and get_ident() != self.thread:
            # `threading` takes the thread that imports it first for the main thread.
            return None
        cost = cost_of(len(code.co_code)) if self.service else IMPORT_COST
        if "numpy" not in sys.modules or not self.budget.allows(cost):
            return None
        with self.budget.spending():
            if not meets_arrays(code, namespace, values.values()):
                return False
            return None if is_importing() else self._serving().warm(code, function, namespace)

    def screen(self) -> str:
        """The text that `run --stats` prints."""
        from dyntrace.programs.screen import screen

        if self.accounts is None or not config.sampler:
            return NO_FIGURES
        analysis = self.budget.spent + UNLIMITED.spent
        return screen(self.accounts, perf_counter() - self.budget.started, analysis)

    def _serving(self) -> Service:
        """The service for warm code; imports the tracer the first time."""
        if self.service is None:
            with isolated_imports():
                from dyntrace.programs.serving import Service

            self.service = Service(self.backend, self.budget)
        return self.service


def is_importing() -> bool:
    """Whether an import is under way that could deadlock with one here, or that is half done.

    It reads CPython's locks of modules (`_module_locks` of Lib/importlib/_bootstrap.py).
    """
    locks: dict[str, Any] = getattr(importlib._bootstrap, "_module_locks", {})
    for name, reference in list(locks.items()):
        owner = getattr(reference(), "owner", None)
        if owner is not None and (owner != get_ident() or not is_users_name(name)):
            return True
    return False


def shielded(callback: Callable[..., Any], fallback: Any) -> Callable[..., Any]:
    """`callback`, with internal errors noted and replaced by the answer `fallback`."""

    def answer(*args: Any) -> Any:
        try:
            return callback(*args)
        except Exception as error:
            with isolated_imports():
                from dyntrace.runtime.failures import callback_failed

            if callback_failed(error, callback, None):
                raise
            return fallback

    return answer


def _is_ours(code: CodeType) -> bool:
    """Whether dyntrace wove the code, or `dyntrace.disable` marked it."""
    constants = code.co_consts
    return bool(constants and constants[-1] == ("dyntrace.disable",)) or is_woven(code)
