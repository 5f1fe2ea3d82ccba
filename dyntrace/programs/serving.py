"""Serving: warm code is compiled, and put to use in functions and in running frames.

On 3.12 and later `sys.monitoring` events are set on warm code objects only: their callbacks move
the frame that is entered, or that goes back to the head of a loop, into compiled code. Then the
function's own `__code__` is exchanged, and nothing is left of it in steady state. On 3.11 the
function's code is exchanged when it is found warm, and a look moves frames that loop (`reach.c`).
Invariant: events are local to code objects, so the program counts as unwatched; other tools see
what they would have seen. Read `functions.compiled_code` for the versions of a code object.
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
from dyntrace.compile import Family, is_ordinary
from dyntrace.functions.compiled_code import CompiledCode
from dyntrace.graph.identity import ByIdentity
from dyntrace.programs.sampling import shielded
from dyntrace.runtime.handles import tracing_active
from dyntrace.trace.marks import original_of

__all__ = ["Service"]

NAME = "dyntrace"
MAX_ASKS = 16  # frames of one code object that come to `serve` in vain
MAX_MOVES = 256  # frames that come to it at all
SUSPENDING = CO_GENERATOR | CO_COROUTINE | CO_ASYNC_GENERATOR
COUNTING = frozenset({"resize", "getrefcount", "get_referrers"})  # names of what counts references
_monitoring: Any = getattr(sys, "monitoring", None)


class Service:
    """What has warm code compiled, for one program."""

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
        """Have frames of `code` come to `serve`, or its function run new code.

        False if neither can be, None if that cannot be now. A generator's frame has no room to
        grow, so it starts in new code or stays. A profiler counts by code object, so what it has
        met stays while it is there.
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
        compiled.go_on()
        if compiled.pace.waits or not (compiled.version or compiled.pace.affords()):
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
        """Where a frame of warm code goes on; None if it stays. Without an offset it starts."""
        if tracing_active() or (function is not None and not is_ordinary(function)):
            return None
        compiled = self._compiled(code, namespace)
        landing = compiled.serve(offset, values, stack)
        asks = (self._asks.get(code) or 0) + 1
        self._asks.set(code, asks)
        in_vain = asks >= (MAX_ASKS if landing is None else MAX_MOVES)
        waits = compiled.pace.waits and not compiled.woven.layouts
        if waits:
            compiled.pace.wait()  # again: without events it is only compiled if it is found warm
        if in_vain or waits or compiled.has_nothing_to_gain():
            self._leave(code)
        elif type(function) is FunctionType and compiled.version:
            self._exchange(compiled, function, code)
        return landing

    def go_on(self, code: CodeType, namespace: dict[str, Any]) -> bool | None:
        """Frames run this version: compile what had to wait; None if it still has to wait.

        False if it is a version of what the program itself has optimised.
        """
        original = original_of(code)
        compiled = None if original is None else self.family.known_code(original, namespace)
        if compiled is None:
            return False
        if tracing_active():
            return None
        compiled.go_on()
        return None if compiled.pace.waits else True

    def has_made(self, code: CodeType) -> bool:
        """Whether `code` is a version of the user's that frames were moved to."""
        return original_of(code) is not None

    def _compiled(self, code: CodeType, namespace: dict[str, Any]) -> CompiledCode:
        compiled = self.family.compiled(code, namespace)
        if compiled.on_new_code is None:
            code_of, compiled_of, address = weakref.ref(code), weakref.ref(compiled), id(namespace)

            def use(new: CodeType) -> None:
                original = code_of()
                if original is not None:
                    _sampler.replace(original, new, address)

            def wait() -> None:
                original, waiting = code_of(), compiled_of()
                if original is not None and waiting is not None:
                    for version in (original, *waiting.bypasses.codes()):
                        _sampler.replace(version, None, 0)  # it has to be found warm again

            compiled.on_new_code, compiled.pace.on_wait = use, wait
        return compiled

    def _exchange(self, compiled: CompiledCode, function: FunctionType, code: CodeType) -> bool:
        """Have later calls of `function` run compiled code, while it keeps that of the user."""
        if function.__code__ is code:
            self._kept.set(function, code)
            compiled.functions.add(function)
            function.__code__ = compiled.code
        return True

    def close(self) -> None:
        """Give the tool id back; what has been exchanged stays."""
        if self.tool is not None:
            _monitoring.free_tool_id(self.tool)
            self.tool = None

    def _leave(self, code: CodeType) -> None:
        """Frames of `code` come no more."""
        if self.tool is not None:
            _monitoring.set_local_events(self.tool, code, 0)
        elif _monitoring is None:
            _sampler.reach(code, False)


def _can_be_reached(code: CodeType) -> bool:
    """Whether it has a loop, and nothing that could tell one reference more."""
    return not BACKWARD.isdisjoint(code.co_code[::2]) and COUNTING.isdisjoint(code.co_names)


def _nothing() -> None:
    """What frames on 3.11 call when they are moved."""


def _uninterrupted(function: Any) -> FunctionType:
    """`function` without the look for signals at its start: RESUME has one only below 2."""
    raw = bytearray(function.__code__.co_code)
    raw[raw.index(RESUME) + 1] = 2
    return FunctionType(function.__code__.replace(co_code=bytes(raw)), function.__globals__)


def _claim_tool() -> int | None:
    """The tool id that optimisers use, or another that is free; None if there is none."""
    for tool in (_monitoring.OPTIMIZER_ID, 4, 3):
        if _monitoring.get_tool(tool) is None:
            _monitoring.use_tool_id(tool, NAME)
            events = _monitoring.events
            _monitoring.register_callback(tool, events.PY_START, _sampler.on_start)
            _monitoring.register_callback(tool, events.JUMP, _sampler.on_jump)
            return int(tool)
    return None
