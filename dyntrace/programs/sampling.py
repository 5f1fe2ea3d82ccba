"""Sampling: a program runs as it is, and is looked at every few milliseconds.

The native sampler calls `Sampling.candidate` once for each code object it meets, and
`Sampling.warm` for what it meets again and again. The tracer is imported for the first warm code
that meets arrays, when that fits the budget.
Invariant: until then nothing of the package but this room, `config` and `users` is imported.
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
from dyntrace.isolation import own_names
from dyntrace.programs.glance import meets_arrays
from dyntrace.users import has_work, is_users_module, is_users_name, is_woven

if TYPE_CHECKING:
    from dyntrace.programs.accounts import Accounts
    from dyntrace.programs.serving import Service

__all__ = ["Sampling", "shielded"]

INTERVAL = 2000  # microseconds
SAMPLES = 3  # looks that meet code until it is warm
IMPORT_COST = 0.035  # seconds of processor time that importing the tracer takes, about


NO_FIGURES = "dyntrace: no figures, since the native module is not in use"


class Sampling:
    """One program under the sampler."""

    def __init__(self, backend: str = "numpy", accounts: Accounts | None = None) -> None:
        self.budget = Budget()
        self.backend = backend
        self.service: Service | None = None
        self.accounts = accounts
        self.serves, self.thread = True, get_ident()

    def start(self, serves: bool = True) -> bool:
        """Begin to look; False where there is no sampler, or no thread for it.

        Unless it `serves` warm code, it only keeps accounts, if there are any to keep.
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
        """Whether code that was met is worth counting: the user's, with work in it."""
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
        """Have warm code served; False if it is nothing for us, None if it has to wait."""
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
            return None  # whoever imports it first is the main thread to it
        cost = cost_of(len(code.co_code)) if self.service else IMPORT_COST
        if "numpy" not in sys.modules or not self.budget.allows(cost):
            return None  # asked again and again, so this has to be quick
        with self.budget.spending():
            if not meets_arrays(code, namespace, values.values()):
                return False
            return None if is_importing() else self._serving().warm(code, function, namespace)

    def screen(self) -> str:
        """What `run --stats` prints."""
        from dyntrace.programs.screen import screen

        if self.accounts is None or not config.sampler:
            return NO_FIGURES
        analysis = self.budget.spent + UNLIMITED.spent
        return screen(self.accounts, perf_counter() - self.budget.started, analysis)

    def _serving(self) -> Service:
        """What serves warm code, imported when it is first needed."""
        if self.service is None:
            with own_names():
                from dyntrace.programs.serving import Service

            self.service = Service(self.backend, self.budget)
        return self.service


def is_importing() -> bool:
    """Whether an import is under way that importing here would wait for, or meet half done."""
    locks: dict[str, Any] = getattr(importlib._bootstrap, "_module_locks", {})
    for name, reference in list(locks.items()):
        owner = getattr(reference(), "owner", None)
        if owner is not None and (owner != get_ident() or not is_users_name(name)):
            return True
    return False


def shielded(callback: Callable[..., Any], fallback: Any) -> Callable[..., Any]:
    """`callback`, whose own errors are noted and never reach the program."""

    def answer(*args: Any) -> Any:
        try:
            return callback(*args)
        except Exception as error:
            with own_names():
                from dyntrace.runtime.failures import callback_failed

            if callback_failed(error, callback, None):
                raise
            return fallback

    return answer


def _is_ours(code: CodeType) -> bool:
    """Whether code was made by the tracer, or has been marked as left alone."""
    constants = code.co_consts
    return bool(constants and constants[-1] == ("dyntrace.disable",)) or is_woven(code)
