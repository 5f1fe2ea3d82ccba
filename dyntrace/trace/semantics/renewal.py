"""Renewal: making a new object of a folded constant, as CPython would do in each call.

The tracer folds `n + 1` of constants once. CPython makes a new number whenever it runs, which `is`
and `id` can tell. So a folded constant that leaves a region is renewed by a node. Invariant: an
object that CPython has only one of (small ints, single characters, the empty tuple) renews to
itself, so `renewed(value) is value` tells that no node is needed. Read `trace.regions.flush`, where
values leave a region, next.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType
from typing import Any

from dyntrace.graph.node import Op
from dyntrace.graph.ownership import nodes_in
from dyntrace.trace.values.base import Constant, Folded

__all__ = ["RENEW", "folded", "is_shared", "renewed"]


def renewed(value: Any) -> Any:
    """An equal object: a new one if CPython would make a new one."""
    rule = _RULES.get(type(value))
    return value if rule is None else rule(value)


_RULES: Mapping[type, Callable[[Any], Any]] = MappingProxyType(
    {
        **dict.fromkeys((int, float, complex), lambda value: operator.neg(operator.neg(value))),
        str: lambda value: (value + "x")[:-1],
        bytes: lambda value: (value + b"x")[:-1],
        tuple: lambda value: (*value,),
        slice: lambda value: slice(value.start, value.stop, value.step),
    }
)
RENEW = Op("dyntrace.renewed", renewed, "item", exact=True, aliases=True)


def folded(result: Any, operands: Sequence[Any]) -> Constant:
    """`result` of an operation on constants as a value; Folded if CPython makes it anew each time.

    The result may be an operand: `t + ()` is `t`.
    """
    is_old = any(result is operand for operand in operands) or renewed(result) is result
    return Constant(result) if is_old else Folded(result)


def is_shared(made: Any) -> bool:
    """Whether a tuple or slice among the outputs would be one object for all calls."""
    return made != () and not _holds_mutable(made) and not any(True for _ in nodes_in(made))


def _holds_mutable(made: Any) -> bool:
    if type(made) is slice:
        return any(map(_holds_mutable, (made.start, made.stop, made.step)))
    return type(made) in (list, dict) or (type(made) is tuple and any(map(_holds_mutable, made)))
