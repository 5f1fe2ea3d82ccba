"""Pure functions whose results are not arrays: text, and objects that the trace does not inspect.

A region need not end at them. They do not count as array work. The text of an array depends on the
print options; if these hold functions of the user's, the region deopts.
"""

from __future__ import annotations

import copy
import operator
from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np

from dyntrace import breaks
from dyntrace.graph.kinds import NUMERIC_KINDS, ArrayKind, DictKind, Kind, ObjectKind
from dyntrace.graph.node import Op
from dyntrace.ops.call import NumpyCall, Refused
from dyntrace.ops.numpy.functions import Line, Refusal, captured, register
from dyntrace.ops.probe import DATA, probing
from dyntrace.ops.quiet import GivesUp
from dyntrace.ops.registry import Infer, Record, add_callable


def opaque(infer: Infer) -> Infer:
    """`infer`, with a result that is described by its class only."""

    def checked(call: NumpyCall) -> Kind:
        found = infer(call)
        if isinstance(found, DictKind):
            return ObjectKind(dict)
        kind = getattr(found, "type", None)
        if isinstance(kind, type) and not isinstance(found, ObjectKind):
            return ObjectKind(kind)
        return found

    return checked


def with_plain_options(function: Callable[..., Any]) -> Callable[..., Any]:
    """`function`, which raises GivesUp if printing an array would call the user's functions."""

    def call(*args: Any, **kwargs: Any) -> Any:
        options: dict[str, Any] = dict(np.get_printoptions())
        if options.get("formatter") or options.get("override_repr"):
            raise GivesUp
        return function(*args, **kwargs)

    call.__name__ = call.__qualname__ = function.__name__
    return call


def arrays_only(infer: Infer) -> Infer:
    """Refuse a first argument other than arrays and numbers: its methods would be called."""

    def checked(call: NumpyCall) -> Kind:
        if not call.args or not isinstance(call.args[0].kind, NUMERIC_KINDS):
            raise Refused(breaks.OBJECT_OPERAND)
        return infer(call)

    return checked


def integers_only(infer: Infer) -> Infer:
    """`operator.index`: numbers and 0-d arrays."""

    def checked(call: NumpyCall) -> Kind:
        kind = call.args[0].kind
        if not isinstance(kind, NUMERIC_KINDS) or (isinstance(kind, ArrayKind) and kind.ndim):
            raise Refused(breaks.OBJECT_OPERAND)
        return infer(call)

    return checked


LINES: tuple[Line | Refusal, ...] = (
    captured(
        "array2string array_repr array_str",
        writes="",
        around=arrays_only,
        wrapper=with_plain_options,
    ),
    captured("broadcast ndindex", "*shape", writes="", around=opaque),
    captured("ndenumerate", "arr", writes="", around=opaque),
    captured("poly1d", "c_or_r r variable", writes="", around=opaque),
    captured("finfo iinfo", "dtype", writes="", around=opaque),
    captured("str_ bytes_ void object_", "value", writes="", around=opaque),
    captured("datetime64 timedelta64", "value unit", writes="", around=opaque),
    captured("busday_offset busdaycalendar", writes="", around=opaque),
    captured("recarray", "shape dtype buf offset strides formats", writes="", around=opaque),
    captured("get_printoptions", writes="", around=opaque),
    captured("get_include getbufsize", writes=""),
)


def _record(target: Callable[..., Any], check: Callable[[Infer], Infer]) -> Record:
    op = Op(f"{target.__module__.lstrip('_')}.{target.__name__}", target, "opaque")
    return Record(op, check(probing(op, DATA)))


register(np, "numpy", "opaque", LINES)
ERRORS = (captured("LinAlgError", "*args", writes="", around=opaque),)
register(np.linalg, "numpy.linalg", "opaque", ERRORS)
add_callable(operator.index, partial(_record, operator.index, integers_only))
add_callable(copy.copy, partial(_record, copy.copy, arrays_only))
add_callable(copy.deepcopy, partial(_record, copy.deepcopy, arrays_only))
