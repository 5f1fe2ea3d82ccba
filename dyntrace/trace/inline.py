"""Inlining: the body of a user function traced into the caller's region.

Only what runs straight through under known facts is inlined: a region never starts or ends inside
an inlined body, so any break in it takes the whole call back and the call itself breaks. What the
inlining assumes of the function (its code, defaults, closure) is read and guarded by the region, so
rebinding any of them is seen at the next region call. Read `trace.interpreter` next.
"""

from __future__ import annotations

import functools
import inspect
import types
from typing import Any

from dyntrace.asm.decode import decode
from dyntrace.asm.instructions import Body
from dyntrace.breaks import CALL_BINDING, DISABLED, NOT_INLINED, RECURSION, USER_BREAK
from dyntrace.errors import AssemblyError
from dyntrace.graph import kinds
from dyntrace.graph.describe import describe
from dyntrace.ops.registry import Refused
from dyntrace.trace import marks
from dyntrace.trace.frame import MAX_INLINE_DEPTH, Break, Flush, Frame
from dyntrace.trace.region import Guard
from dyntrace.trace.sources import FunctionPart, Item, Source
from dyntrace.trace.values.base import Dynamic, Known, Outside, Value
from dyntrace.trace.values.containers import DictValue, TupleValue

__all__ = ["NotInlined", "inline"]

_UNSUPPORTED = inspect.CO_GENERATOR | inspect.CO_COROUTINE | inspect.CO_ASYNC_GENERATOR


class NotInlined(Break):
    """A user function whose call stays a call; `callee` can still be replaced by its twin."""

    def __init__(self, reason: Any, detail: str, callee: Outside) -> None:
        super().__init__(reason, detail)
        self.callee = callee


def inline(
    frame: Frame,
    callee: Outside,
    function: types.FunctionType,
    args: list[Value],
    kwargs: dict[str, Value],
) -> Value:
    """Trace `function`'s body, or break."""
    _check_marks(function)
    original = marks.original_of(function)
    source = callee.source
    if original is not function:
        source = _original_source(frame, callee, original)
    code = original.__code__
    if code.co_flags & _UNSUPPORTED:
        raise NotInlined(NOT_INLINED, function.__qualname__, callee)
    if frame.depth >= MAX_INLINE_DEPTH or code is frame.code:
        raise NotInlined(RECURSION, function.__qualname__, callee)
    try:
        body = _decoded(code, code.co_filename)
    except AssemblyError:
        raise Break(NOT_INLINED, function.__qualname__) from None
    inner = _frame_of(frame, body, source, original)
    bind(inner, source, original, args, kwargs)
    return _run(frame, inner, function, callee)


@functools.lru_cache(maxsize=256)
def _decoded(code: types.CodeType, filename: str) -> Body:
    """The body of a callee; equal code objects of two files are two."""
    return decode(code)


def _check_marks(function: types.FunctionType) -> None:
    if marks.is_graph_break(function):
        raise Break(USER_BREAK)
    if marks.is_disabled(function):
        raise Break(DISABLED, function.__qualname__)


def _original_source(frame: Frame, callee: Outside, original: types.FunctionType) -> Source:
    """An optimised function is traced through the function it was made from."""
    from dyntrace.trace.calls import fixed_function

    frame.settle(callee)
    return fixed_function(original).source


def _frame_of(
    frame: Frame, body: Body, source: Source, function: types.FunctionType
) -> Frame:
    region = frame.region
    region.guard(FunctionPart(source, "code"), Guard("is", function.__code__))
    beliefs = {}
    closure = None
    if function.__closure__:
        closure = FunctionPart(source, "closure")
        region.guard(closure, Guard("is", function.__closure__))
        first = len(body.local_names) - len(function.__closure__)
        for place, cell in enumerate(function.__closure__):
            beliefs[first + place] = _contents_kind(cell)
    return Frame(
        region,
        body,
        function.__globals__,
        beliefs=beliefs,
        depth=frame.depth + 1,
        closure=closure,
    )


def _contents_kind(cell: types.CellType) -> kinds.Kind:
    try:
        return describe(cell.cell_contents)
    except ValueError:
        return kinds.UNKNOWN


def _run(frame: Frame, inner: Frame, function: types.FunctionType, callee: Outside) -> Value:
    from dyntrace.trace.interpreter import run_inlined

    try:
        result = run_inlined(inner)
    except (Flush, Refused) as stop:
        reason = stop.reason if isinstance(stop, Break) else NOT_INLINED
        inside = f"{function.__qualname__}, line {inner.lineno}: {reason.text}"
        raise NotInlined(NOT_INLINED, inside, callee) from None
    if isinstance(result, Dynamic) and result.node in frame.region.graph.nodes[inner.first_own_node :]:
        return Dynamic(result.node)
    return result


# argument binding ---------------------------------------------------------------------------------


def bind(
    inner: Frame,
    source: Source,
    function: types.FunctionType,
    args: list[Value],
    kwargs: dict[str, Value],
) -> None:
    """CPython's argument binding; whatever would be an error there is a break here."""
    code = function.__code__
    names = code.co_varnames[: code.co_argcount + code.co_kwonlyargcount]
    values: dict[str, Value] = dict(zip(names[: code.co_argcount], args, strict=False))
    extra = args[code.co_argcount :]
    keywords = dict(kwargs)
    for name in names[code.co_posonlyargcount :]:
        if name in keywords:
            if name in values:
                raise Break(CALL_BINDING, function.__qualname__)
            values[name] = keywords.pop(name)
    _bind_rest(inner, function, extra, keywords)
    _bind_defaults(inner, source, function, values)
    if len(values) != len(names):
        raise Break(CALL_BINDING, function.__qualname__)
    for place, name in enumerate(names):
        inner.store(place, values[name])


def _bind_rest(
    inner: Frame, function: types.FunctionType, extra: list[Value], keywords: dict[str, Value]
) -> None:
    """`*args` and `**kwargs`."""
    code = function.__code__
    place = code.co_argcount + code.co_kwonlyargcount
    if code.co_flags & inspect.CO_VARARGS:
        inner.store(place, TupleValue(tuple(extra)))
        place += 1
    elif extra:
        raise Break(CALL_BINDING, function.__qualname__)
    if code.co_flags & inspect.CO_VARKEYWORDS:
        inner.store(place, DictValue(keywords))
    elif keywords:
        raise Break(CALL_BINDING, function.__qualname__)


def _bind_defaults(
    inner: Frame, source: Source, function: types.FunctionType, values: dict[str, Value]
) -> None:
    code = function.__code__
    defaults = function.__defaults__ or ()
    first = code.co_argcount - len(defaults)
    for place, default in enumerate(defaults):
        name = code.co_varnames[first + place]
        if name not in values:
            part = FunctionPart(source, "defaults")
            inner.region.guard(part, Guard("is", defaults))
            values[name] = _default(Item(part, place), default)
    named = function.__kwdefaults__ or {}
    for name in code.co_varnames[code.co_argcount : code.co_argcount + code.co_kwonlyargcount]:
        if name not in values and name in named:
            item = Item(FunctionPart(source, "kwdefaults"), name)
            values[name] = Outside(item, describe(named[name]))


def _default(source: Source, default: Any) -> Value:
    """A positional default: fixed together with the tuple that holds it."""
    constant = type(default) in (int, float, complex, bool, str, type(None))
    return Known(default) if constant else Outside(source, describe(default))
