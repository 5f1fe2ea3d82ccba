"""Renewal: what is computed from constants is one object to the tracer, and a new one in each call.

`n + 1` is folded when it is traced, but CPython makes a number each time it runs; `is`, `id` and
sets of ids tell. Invariant: what CPython keeps only once (small ints, single characters, the empty
tuple) renews to itself, so `renewed` says by its answer whether there is anything to do.
Read `trace.regions.flush` next, where renewed values leave a region.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Sequence
from typing import Any

from dyntrace.graph.node import Op
from dyntrace.graph.ownership import nodes_in
from dyntrace.trace.values.base import Constant, Folded

__all__ = ["RENEW", "folded", "is_shared", "renewed"]


def renewed(value: Any) -> Any:
    """An equal object, new where CPython would make a new one."""
    rule = _RULES.get(type(value))
    return value if rule is None else rule(value)


_RULES: dict[type, Callable[[Any], Any]] = {
    **dict.fromkeys((int, float, complex), lambda value: operator.neg(operator.neg(value))),
    str: lambda value: (value + "x")[:-1],
    bytes: lambda value: (value + b"x")[:-1],
    tuple: lambda value: (*value,),
    slice: lambda value: slice(value.start, value.stop, value.step),
}
RENEW = Op("dyntrace.renewed", renewed, "item", exact=True, aliases=True)


def folded(result: Any, operands: Sequence[Any]) -> Constant:
    """The result of an operation on constants, which may be one of them: `t + ()` is `t`."""
    is_old = any(result is operand for operand in operands) or renewed(result) is result
    return Constant(result) if is_old else Folded(result)


def is_shared(made: Any) -> bool:
    """Whether a tuple or slice, written out in outputs, would be the same object in each call."""
    return made != () and not _holds_mutable(made) and not any(True for _ in nodes_in(made))


def _holds_mutable(made: Any) -> bool:
    if type(made) is slice:
        return any(map(_holds_mutable, (made.start, made.stop, made.step)))
    return type(made) in (list, dict) or (type(made) is tuple and any(map(_holds_mutable, made)))
