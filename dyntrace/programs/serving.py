"""Serving: compiles warm code, and moves functions and running frames into it.

On 3.12 and later `Service.warm` sets `sys.monitoring` events on the warm code object. Their
callbacks (`_sampler/move.c`) move a frame that starts, or jumps back to a loop head, into compiled
code; then the function's `__code__` is exchanged and the events are removed. On 3.11 `warm`
exchanges `__code__` at once, and the sampler moves frames that loop (`_sampler/reach.c`).
Invariant: events are local to code objects, so other tools see what they would have seen. Read
`functions.compiled_code` next.
"""

from __future__ import annotations

import sys
import weakref
from inspect import CO_ASYNC_GENERATOR, CO_COROUTINE, CO_GENERATOR
from types import CodeType, FunctionType
from typing import Any

import dyntrace._sampler as _sampler
from dyntrace.asm.decode import BACKWARD, RESUME
from dyntrace.budget import Budget
from dyntrace.functions import recording, waiting
from dyntrace.functions.compiled_code import CompiledCode
from dyntrace.functions.eligibility import is_ordinary
from dyntrace.functions.family import Family
from dyntrace.graph.identity import ByIdentity
from dyntrace.programs.sampling import shielded
from dyntrace.runtime.handles import tracing_active
from dyntrace.trace.marks import original_of

__all__ = ["Service"]

NAME = "dyntrace"
MAX_ASKS = 16  # a code object is left alone when `serve` has moved none of this many frames
MAX_MOVES = 256  # and in any case when `serve` was asked about this many
SUSPENDING = CO_GENERATOR | CO_COROUTINE | CO_ASYNC_GENERATOR
COUNTING = frozenset({"resize", "getrefcount", "get_referrers"})  # functions that count references
_monitoring: Any = getattr(sys, "monitoring", None)


class Service:
    """Compiles the warm code of one program."""

    def __init__(self, backend: str, budget: Budget) -> None:
        self.family = Family(backend, fullgraph=False, budget=budget, copies=False)
        self.tool = _claim_tool() if _monitoring is not None else None
        self._kept: ByIdentity[CodeType] = ByIdentity()  # compiled code lives as long as this code
        self._asks: ByIdentity[int] = ByIdentity()
        _sampler.configure(shielded(self.serve, None))
        if _monitoring is None:
            _sampler.reach_configure(_uninterrupted(_nothing))

    def warm(
        self, code: CodeType, function: FunctionType | None, namespace: dict[str, Any]
    ) -> bool | None:
        """Have frames of `code` come to `serve`, or exchange the code of its function.

        False if neither is possible, None if it has to be tried again later. A generator's frame
        has no room to grow, so only new frames run compiled code. A profiler counts by code object,
        so nothing is exchanged while one is active.
        """
        if tracing_active():
            return None
        if self.tool is not None and not code.co_flags & SUSPENDING:
            events = _monitoring.events
            _monitoring.set_local_events(self.tool, code, events.PY_START | events.JUMP)
            return True
        if _monitoring is not None and self.tool is None:
            return False
        reaches = _monitoring is None and not code.co_flags & SUSPENDING and _can_be_reached(code)
        if reaches:
            _sampler.reach(code, True)
        if type(function) is not FunctionType or code.co_name == "<genexpr>":
            return reaches
        compiled = self._compiled(code, namespace)
        waiting.go_on(compiled)
        if compiled.pace.waits or not (compiled.versions.count or compiled.pace.affords()):
            return None
        return self._exchange(compiled, function, code)

    def serve(
        self,
        code: CodeType,
        function: FunctionType | None,
        namespace: dict[str, Any],
        offset: int | None,
        values: dict[int, Any],
        stack: tuple[Any, ...],
    ) -> tuple[CodeType, int] | None:
        """The new code and byte offset where a frame of warm code continues; None if it stays.

        offset  the byte offset of the loop head it jumps to; None for a frame that starts
        values  of its slots, by index
        stack   its evaluation stack; Ellipsis for NULL
        """
        if tracing_active() or (function is not None and not is_ordinary(function)):
            return None
        compiled = self._compiled(code, namespace)
        landing = recording.serve(compiled, offset, values, stack)
        asks = (self._asks.get(code) or 0) + 1
        self._asks.set(code, asks)
        in_vain = asks >= (MAX_ASKS if landing is None else MAX_MOVES)
        waits = compiled.pace.waits and not compiled.versions.newest.layouts
        if waits:
            compiled.pace.wait()  # without events, only the sampler brings this code up again
        if in_vain or waits or compiled.has_nothing_to_gain():
            self._leave(code)
        elif type(function) is FunctionType and compiled.versions.count:
            self._exchange(compiled, function, code)
        return landing

    def go_on(self, code: CodeType, namespace: dict[str, Any]) -> bool | None:
        """Compile what this version of warm code postponed; None if it still has to wait.

        False if the version belongs to a function that the program itself has optimised.
        """
        original = original_of(code)
        compiled = None if original is None else self.family.known_code(original, namespace)
        if compiled is None:
            return False
        if tracing_active():
            return None
        waiting.go_on(compiled)
        return None if compiled.pace.waits else True

    def has_made(self, code: CodeType) -> bool:
        """Whether `code` is a woven version of the user's code."""
        return original_of(code) is not None

    def _compiled(self, code: CodeType, namespace: dict[str, Any]) -> CompiledCode:
        compiled = self.family.compiled(code, namespace)
        if compiled.versions.on_new_code is None:
            code_of, compiled_of, address = weakref.ref(code), weakref.ref(compiled), id(namespace)

            def use(new: CodeType) -> None:
                original = code_of()
                if original is not None:
                    _sampler.replace(original, new, address)

            def wait() -> None:
                original, alive = code_of(), compiled_of()
                if original is not None and alive is not None:
                    for version in (original, *alive.versions.bypasses.codes()):
                        _sampler.replace(version, None, 0)  # looks count the version from zero

            compiled.versions.on_new_code, compiled.pace.on_wait = use, wait
        return compiled

    def _exchange(self, compiled: CompiledCode, function: FunctionType, code: CodeType) -> bool:
        """Set `function.__code__` to compiled code, and keep the user's code alive with it."""
        if function.__code__ is code:
            self._kept.set(function, code)
            compiled.versions.functions.add(function)
            function.__code__ = compiled.code
        return True

    def close(self) -> None:
        """Free the tool id; exchanged code stays."""
        if self.tool is not None:
            _monitoring.free_tool_id(self.tool)
            self.tool = None

    def _leave(self, code: CodeType) -> None:
        """Frames of `code` are not brought to `serve` any more."""
        if self.tool is not None:
            _monitoring.set_local_events(self.tool, code, 0)
        elif _monitoring is None:
            _sampler.reach(code, False)


def _can_be_reached(code: CodeType) -> bool:
    """Whether code has a loop, and names no function that counts references (see reach.c)."""
    return not BACKWARD.isdisjoint(code.co_code[::2]) and COUNTING.isdisjoint(code.co_names)


def _nothing() -> None:
    """Frames on 3.11 call this when they are moved, see `_sampler/reach.c`."""


def _uninterrupted(function: Any) -> FunctionType:
    """`function` with RESUME 2: RESUME checks for signals only if its argument is below 2.

    See RESUME in Python/ceval.c of CPython 3.11.
    """
    raw = bytearray(function.__code__.co_code)
    raw[raw.index(RESUME) + 1] = 2
    return FunctionType(function.__code__.replace(co_code=bytes(raw)), function.__globals__)


def _claim_tool() -> int | None:
    """Claim `sys.monitoring.OPTIMIZER_ID`, or 4 or 3 if it is taken; None if all are."""
    for tool in (_monitoring.OPTIMIZER_ID, 4, 3):
        if _monitoring.get_tool(tool) is None:
            _monitoring.use_tool_id(tool, NAME)
            events = _monitoring.events
            _monitoring.register_callback(tool, events.PY_START, _sampler.on_start)
            _monitoring.register_callback(tool, events.JUMP, _sampler.on_jump)
            return int(tool)
    return None
