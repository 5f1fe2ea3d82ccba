"""Family: a function optimised on request, with the callees behind its graph breaks.

Callees that regions could not inline get optimised copies, which the family's members share.
Invariant: a family has one `CompiledCode` for a code object and its globals; compiled code holds
its family weakly. Read `functions.compiled_code` next.
"""

from __future__ import annotations

import threading
import weakref
from collections.abc import Callable, Iterator
from types import CodeType, FunctionType
from typing import Any

from dyntrace import config
from dyntrace.budget import UNLIMITED, Budget
from dyntrace.exec.backends.names import get_backend
from dyntrace.functions.compiled_code import CompiledCode
from dyntrace.functions.copy_maker import CopyMaker
from dyntrace.functions.eligibility import is_ordinary, is_users
from dyntrace.graph.identity import ByIdentity
from dyntrace.trace.marks import is_disabled, is_optimised
from dyntrace.trace.semantics.optimised_copies import has_lasting_copy

__all__ = ["Family", "live_compiled"]

_live: weakref.WeakSet[CompiledCode] = weakref.WeakSet()


def live_compiled() -> list[CompiledCode]:
    """All compiled code that some function or hook still holds."""
    return list(_live)


class Family:
    """A function optimised on request and copies of the callees its regions could not inline."""

    def __init__(
        self, backend: str, fullgraph: bool, budget: Budget = UNLIMITED, copies: bool = True
    ) -> None:
        self.compile_graph = get_backend(backend)
        self.fullgraph = fullgraph
        self._compiled_codes: ByIdentity[CompiledCode] = ByIdentity()
        self._copies: ByIdentity[FunctionType] = ByIdentity()
        self.budget = budget
        self.makes_copies = copies
        self.is_patient = not config.warm_at_once
        self.loops_at_once = False
        self._lock = threading.RLock()

    def compiled(self, code: CodeType, namespace: dict[str, Any]) -> CompiledCode:
        """The compiled code of `code` in `namespace`."""
        with self._lock:
            found = self._compiled_codes.get(code, id(namespace))
            if found is None:
                compiled = self._new_compiled(code, namespace, self.fullgraph)
                found = self._compiled_codes.set(code, compiled, id(namespace))
            return found

    def known_code(self, code: CodeType, namespace: dict[str, Any]) -> CompiledCode | None:
        """The compiled code of `code` in `namespace`, if there is one."""
        return self._compiled_codes.get(code, id(namespace))

    def _new_compiled(
        self, code: CodeType, namespace: dict[str, Any], fullgraph: bool
    ) -> CompiledCode:
        compiled = CompiledCode(
            code,
            namespace,
            compile_graph=self.compile_graph,
            fullgraph=fullgraph,
            copies=(copies := WeakCopies(self)),
            budget=self.budget,
        )
        copies.caller = weakref.ref(compiled)
        compiled.loops.at_once = self.loops_at_once
        _live.add(compiled)
        return compiled

    def _callee(self, code: CodeType, namespace: dict[str, Any]) -> CompiledCode:
        """The compiled code of what is called: it is cold until it has been called before."""
        with self._lock:
            found = self.known_code(code, namespace)
            if found is None:
                found = self.compiled(code, namespace)
                found.is_cold = self.is_patient
            return found

    def lose_patience(self) -> None:
        """Have all calls, and all loops, compiled when they are first met: for reports."""
        self.is_patient, self.loops_at_once = False, True
        for compiled in self.all_compiled():
            compiled.is_cold = False
            compiled.loops.lose_patience()

    def regain_patience(self) -> None:
        """Have loops compiled beside the program again, and callees at their second call."""
        self.is_patient, self.loops_at_once = not config.warm_at_once, False
        for compiled in self.all_compiled():
            compiled.loops.at_once = False

    def all_compiled(self) -> Iterator[CompiledCode]:
        """All compiled code of the family, the one asked for first."""
        yield from self._compiled_codes.values()

    def copy_of(self, function: FunctionType) -> FunctionType | None:
        """The optimised copy of a callee, or None for what is better left alone."""
        if not self.makes_copies or is_optimised(function) or is_disabled(function):
            return None
        if not is_users(function.__code__, function.__globals__):
            return None
        with self._lock:
            compiled = self._callee(function.__code__, function.__globals__)
            if compiled.has_nothing_to_gain() or not is_ordinary(function):
                return None
            optimised_copy = self._copies.get(function)
            if optimised_copy is None:
                optimised_copy = CopyMaker(compiled)(function)
                if has_lasting_copy(function):
                    compiled.versions.functions.add(self._copies.set(function, optimised_copy))
            return optimised_copy

    def maker_of(self, code: CodeType, namespace: dict[str, Any]) -> CopyMaker | None:
        """What makes copies of functions of this code, or None for what is better left alone."""
        if not self.makes_copies or not is_users(code, namespace):
            return None
        with self._lock:
            compiled = self._callee(code, namespace)
            return None if compiled.has_nothing_to_gain() else CopyMaker(compiled)


class WeakCopies:
    """A family seen from its compiled code, which must not keep it alive."""

    def __init__(self, family: Family) -> None:
        self._family = weakref.ref(family)
        self.caller: Callable[[], CompiledCode | None] | None = None

    def copy_of(self, function: FunctionType) -> FunctionType | None:
        family = self._family()
        optimised_copy = None if family is None else family.copy_of(function)
        if optimised_copy is not None:
            self._note_call(function.__code__, function.__globals__)
        return optimised_copy

    def maker_of(self, code: CodeType, namespace: dict[str, Any]) -> CopyMaker | None:
        family = self._family()
        maker = None if family is None else family.maker_of(code, namespace)
        if maker is not None:
            self._note_call(code, namespace)
        return maker

    def _note_call(self, code: CodeType, namespace: dict[str, Any]) -> None:
        """Have the callee tell its caller when it turns out to have nothing to gain."""
        family, caller = self._family(), self.caller and self.caller()
        if family is not None and caller is not None:
            callee = family.compiled(code, namespace)
            callee.callers.add(caller)
            caller.callees.add(callee)
