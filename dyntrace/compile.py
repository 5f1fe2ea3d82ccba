"""The whole pipeline on one page: from a function to the function that runs graphs.

    code object -> asm.decode -> trace.analysis -> trace.flush -> runtime.stubs -> asm.assemble
                                     graph -> exec (a backend)

`optimised` makes the function, `Family` shares the optimised copies of the callees behind its
breaks, `Hooked` serves frames reached through the frame hook. Invariant: a family has one
`CompiledCode` for a code object and its globals. Read `functions.compiled_code` for its versions.
"""

from __future__ import annotations

import builtins
import operator
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
from dyntrace.graph.identity import ByIdentity
from dyntrace.runtime.handles import hook_forget, hook_set
from dyntrace.trace.marks import MARK, Tag, is_disabled, is_left_alone, is_optimised
from dyntrace.trace.semantics.optimised_copies import has_lasting_copy
from dyntrace.users import has_work, is_users_module, is_woven

__all__ = ["Family", "Hooked", "live_compiled", "optimised"]

_BUILTINS_OF = operator.attrgetter("__builtins__")
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
        """Have everything that is called compiled at its first call: for reports and proofs."""
        self.is_patient = False
        for compiled in self.all_compiled():
            compiled.is_cold = False

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
                    compiled.functions.add(self._copies.set(function, optimised_copy))
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
    mark = fast.__dict__[MARK] = Tag(compiled, family, function)
    mark.owner = weakref.ref(fast)
    compiled.functions.add(fast)
    fast.__code__ = compiled.code
    return fast


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

        compiled.on_new_code = use
        return None if compiled.given_up else compiled.code

    def forget(self) -> None:
        """Have the hook ask again about every frame it asked this about."""
        for compiled in self.family.all_compiled():
            compiled.on_new_code = None
            hook_forget(compiled.original)
