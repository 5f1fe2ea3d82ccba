"""Inlining: the body of a user's function is traced into the caller's region.

Invariants: a region never starts or ends inside an inlined body; a break in the body undoes the
whole call, which then breaks itself. The region reads and guards what inlining relies on (the
function's code, defaults and closure), so it notices when they are rebound. Read `trace.stepping`,
which runs the body, next, and `trace.semantics.optimised_copies` for callees that are not inlined.
"""

from __future__ import annotations

import inspect
import os
import types
from typing import Any, TypeAlias

from dyntrace.asm.decode import decode
from dyntrace.asm.instructions import Body
from dyntrace.breaks import CALL_BINDING, DISABLED, NOT_INLINED, RECURSION, USER_BREAK, BreakReason
from dyntrace.errors import AssemblyError
from dyntrace.graph import kinds
from dyntrace.graph.describe import describe
from dyntrace.graph.identity import GONE, ByIdentity
from dyntrace.ops.registry import Refused
from dyntrace.record import record
from dyntrace.trace import marks
from dyntrace.trace.frame import MAX_INLINE_DEPTH, Break, Flush, Frame
from dyntrace.trace.regions.builder import Guard, identity_guard
from dyntrace.trace.semantics.obstacles import obstacle_in
from dyntrace.trace.sources import FunctionPart, Item, Source
from dyntrace.trace.stepping import run_inlined
from dyntrace.trace.values.base import Computed, Outside, Value
from dyntrace.trace.values.containers import DictValue, TupleValue

__all__ = ["Callee", "NotInlined", "bind", "callee_of", "check_depth", "frame_of", "inline"]

_UNSUPPORTED = inspect.CO_GENERATOR | inspect.CO_COROUTINE | inspect.CO_ASYNC_GENERATOR


class NotInlined(Break):
    """The break at a call that is not inlined; an optimised copy may still replace `callee`."""

    def __init__(self, reason: Any, detail: str, callee: Outside) -> None:
        super().__init__(reason, detail)
        self.callee = callee


@record(frozen=True)
class Callee:
    """What the caller relies on of a function; the region guards each part that is used."""

    value: Outside
    source: Source
    name: str
    code: types.CodeType
    namespace: dict[str, Any]
    defaults: tuple[kinds.Kind, ...]
    keyword_defaults: dict[str, kinds.Kind]
    closure: tuple[kinds.Kind, ...]


def callee_of(frame: Frame, value: Outside) -> Callee:
    """The function `value`, guarded by its identity or, if it is nested, by its code."""
    kind = value.expected
    if isinstance(kind, kinds.FunctionKind):
        return _by_code(frame, value, kind)
    assert isinstance(kind, kinds.KnownKind)
    return _by_identity(frame, value, kind.value)


def inline(frame: Frame, value: Outside, args: list[Value], kwargs: dict[str, Value]) -> Value:
    """Trace the body of the function `value` into the region, or break."""
    callee = callee_of(frame, value)
    check_depth(frame, callee)
    try:
        body, obstacle = decoded(callee.code)
    except AssemblyError:
        raise Break(NOT_INLINED, callee.name) from None
    if obstacle is not None:
        raise _not_inlined(callee, *obstacle)
    inner = frame_of(frame, body, callee)
    bind(inner, callee, args, kwargs)
    return _run(frame, inner, callee)


def check_depth(frame: Frame, callee: Callee) -> None:
    """Break if a call of `callee` suspends, recurses, or is nested too deeply."""
    if callee.code.co_flags & _UNSUPPORTED:
        raise NotInlined(NOT_INLINED, callee.name, callee.value)
    if frame.depth >= MAX_INLINE_DEPTH or _is_same(callee.code, frame.code):
        raise NotInlined(RECURSION, callee.name, callee.value)


def _by_identity(frame: Frame, value: Outside, function: types.FunctionType) -> Callee:
    """A function that is guarded by identity; of an optimised one the original code is traced."""
    if marks.is_graph_break(function):
        raise Break(USER_BREAK)
    if marks.is_disabled(function):
        raise Break(DISABLED, function.__qualname__)
    frame.assume(value)
    frame.region.guard(FunctionPart(value.source, "code"), identity_guard(function.__code__))
    return Callee(
        value,
        value.source,
        function.__qualname__,
        marks.code_of(function),
        function.__globals__,
        tuple(describe(item) for item in function.__defaults__ or ()),
        {key: describe(item) for key, item in (function.__kwdefaults__ or {}).items()},
        tuple(_contents_kind(cell) for cell in function.__closure__ or ()),
    )


def _by_code(frame: Frame, value: Outside, kind: kinds.FunctionKind) -> Callee:
    """A nested function, which is guarded by its code."""
    frame.assume(value)
    namespace = kind.namespace.find(frame.namespace)
    if kind.code is GONE or namespace is None:
        raise NotInlined(NOT_INLINED, "", value)
    frame.region.guard(FunctionPart(value.source, "code"), identity_guard(kind.code))
    return Callee(
        value,
        value.source,
        kind.code.co_qualname,
        kind.code,
        namespace,
        kind.defaults,
        dict(kind.keyword_defaults),
        kind.closure,
    )


Obstacle: TypeAlias = tuple[int | None, BreakReason]
_bodies: ByIdentity[tuple[Body, Obstacle | None]] = ByIdentity()


def decoded(code: types.CodeType) -> tuple[Body, Obstacle | None]:
    """The decoded body of a callee and the obstacle in it, cached as long as the code lives."""
    found = _bodies.get(code)
    if found is None:
        body = decode(code.replace())
        found = _bodies.set(code, (body, obstacle_in(body)))
    return found


def _is_same(one: types.CodeType, other: types.CodeType) -> bool:
    """Whether two code objects are the same or copies of each other."""
    return one is other or (one.co_filename == other.co_filename and one == other)


def frame_of(frame: Frame, body: Body, callee: Callee) -> Frame:
    """The frame of a call of `callee`, of the same class as its caller's."""
    first = len(body.local_names) - len(callee.closure)
    closure = None
    if callee.closure:
        closure = FunctionPart(callee.source, "closure")
        frame.region.guard(closure, Guard("sequence", tuple, len(callee.closure)))
    return type(frame)(
        frame.region,
        body,
        callee.namespace,
        expected_kinds={first + position: kind for position, kind in enumerate(callee.closure)},
        depth=frame.depth + 1,
        closure=closure,
        globals_source=_globals_source(frame, callee),
    )


def _globals_source(frame: Frame, callee: Callee) -> Source | None:
    """Where the callee's globals are read; None as in `Frame`.

    A function's globals cannot be rebound, so for one guarded by identity the caller's will do if
    they are the same dict.
    """
    if isinstance(callee.value.expected, kinds.KnownKind) and callee.namespace is frame.namespace:
        return frame.globals_source
    return FunctionPart(callee.source, "globals")


def _contents_kind(cell: types.CellType) -> kinds.Kind:
    try:
        return describe(cell.cell_contents)
    except ValueError:
        return kinds.UNKNOWN


def _run(frame: Frame, inner: Frame, callee: Callee) -> Value:
    try:
        result = run_inlined(inner)
    except (Flush, Refused) as stop:
        reason = stop.reason if isinstance(stop, (Break, Refused)) else NOT_INLINED
        raise _not_inlined(callee, inner.lineno, reason) from None
    own = frame.region.graph.nodes[inner.first_own_node :]
    if isinstance(result, Computed) and any(node is result.node for node in own):
        return Computed(result.node)
    return result


def _not_inlined(callee: Callee, line: int | None, reason: BreakReason) -> NotInlined:
    where = f"{os.path.basename(callee.code.co_filename)}:{line or callee.code.co_firstlineno}"
    inside = f"{callee.name}, {where}: {reason.text}"
    return NotInlined(NOT_INLINED, inside, callee.value)


# argument binding ---------------------------------------------------------------------------------


def bind(inner: Frame, callee: Callee, args: list[Value], kwargs: dict[str, Value]) -> None:
    """Bind arguments to parameters as CPython does (Python/ceval.c, `initialize_locals`).

    A call that would be a TypeError breaks.
    """
    code = callee.code
    names = code.co_varnames[: code.co_argcount + code.co_kwonlyargcount]
    values: dict[str, Value] = dict(zip(names[: code.co_argcount], args, strict=False))
    extra = args[code.co_argcount :]
    keywords = dict(kwargs)
    for name in names[code.co_posonlyargcount :]:
        if name in keywords:
            if name in values:
                raise Break(CALL_BINDING, callee.name)
            values[name] = keywords.pop(name)
    _bind_rest(inner, callee, extra, keywords)
    _bind_defaults(inner, callee, values)
    if len(values) != len(names):
        raise Break(CALL_BINDING, callee.name)
    for position, name in enumerate(names):
        inner.store(position, values[name])


def _bind_rest(
    inner: Frame, callee: Callee, extra: list[Value], keywords: dict[str, Value]
) -> None:
    """Bind the arguments that are left to `*args` and `**kwargs`."""
    code = callee.code
    position = code.co_argcount + code.co_kwonlyargcount
    if code.co_flags & inspect.CO_VARARGS:
        inner.store(position, TupleValue(tuple(extra)))
        position += 1
    elif extra:
        raise Break(CALL_BINDING, callee.name)
    if code.co_flags & inspect.CO_VARKEYWORDS:
        inner.store(position, DictValue(keywords))
    elif keywords:
        raise Break(CALL_BINDING, callee.name)


def _bind_defaults(inner: Frame, callee: Callee, values: dict[str, Value]) -> None:
    """Bind parameters without an argument to the function's defaults, which the region reads."""
    code = callee.code
    first = code.co_argcount - len(callee.defaults)
    part = FunctionPart(callee.source, "defaults")
    for position, kind in enumerate(callee.defaults):
        if first + position < 0:
            continue  # there are more defaults than parameters; only the last ones count
        name = code.co_varnames[first + position]
        if name not in values:
            inner.region.guard(part, Guard("sequence", tuple, len(callee.defaults)))
            values[name] = Outside(Item(part, position), kind)
    named = FunctionPart(callee.source, "kwdefaults")
    for name in code.co_varnames[code.co_argcount : code.co_argcount + code.co_kwonlyargcount]:
        if name not in values and name in callee.keyword_defaults:
            inner.region.read(Item(named, name))
            values[name] = Outside(Item(named, name), callee.keyword_defaults[name])
