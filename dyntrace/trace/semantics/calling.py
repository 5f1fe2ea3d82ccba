"""Calls on symbolic values; the callee decides what becomes of one.

A NumPy operation becomes a node. Methods of containers and Python's pure built-ins have rules
(`trace.semantics.container_methods`, `builtin_calls`). The user's functions are inlined
(`trace.semantics.inline`). Any other call breaks. Invariant: the region guards the callee's
identity, or a nested function's code, before it relies on it. Read `trace.semantics.inline` next.
"""

from __future__ import annotations

import functools
import sys
import types
from typing import Any

import numpy as np

from dyntrace.breaks import CALLBACK, OPAQUE_CALL, UNKNOWN_CALLEE, UNKNOWN_METHOD
from dyntrace.graph import kinds
from dyntrace.graph.describe import describe
from dyntrace.graph.identity import GONE, hold
from dyntrace.ops import registry
from dyntrace.trace.frame import Break, Frame
from dyntrace.trace.semantics import builtin_calls, container_methods, inline
from dyntrace.trace.semantics.protocol import UNFOLDED, constant, is_numeric, unsupported
from dyntrace.trace.sources import Attribute, GlobalName, ImpliedFunction, ModuleAttribute
from dyntrace.trace.values.base import Outside, Value
from dyntrace.trace.values.callables import BoundFunction, BoundMethod

__all__ = ["call", "has_fixed_attribute", "implied_function"]

_CLASS_NAME = type.__dict__["__name__"].__get__
_FIXED_NAMES = ("__name__", "__self__")
_FIXED = (np.ufunc, type(np.sum), types.BuiltinFunctionType)


def has_fixed_attribute(obj: Any, name: str) -> bool:
    """Whether the attribute `name` of `obj` cannot change, and reading it runs no code."""
    if name in getattr(obj, "__dict__", ()):
        return False  # the user has set it, and may do so again
    if name.startswith("__") and name not in _FIXED_NAMES:
        return False  # `__doc__` and others can be assigned
    if isinstance(obj, np.dtype):
        # the names of a structured dtype can be assigned
        return type(obj).__module__ == "numpy.dtypes" and obj.names is None
    return isinstance(obj, _FIXED) or type(obj).__module__ == "numpy.dtypes"


def implied_function(function: types.FunctionType) -> Outside:
    """A function that needs no guard of its own, since a guard on another value fixes it."""
    return Outside(ImpliedFunction(id(function), hold(function)), kinds.KnownKind(function))


def call(frame: Frame, callee: Value, args: list[Value], kwargs: dict[str, Value]) -> Value:
    """`callee(*args, **kwargs)`."""
    if isinstance(callee, BoundMethod):
        return _call_method(frame, callee, args, kwargs)
    if isinstance(callee, BoundFunction):
        return call(frame, callee.function, [callee.self, *args], kwargs)
    if isinstance(callee, Outside) and isinstance(callee.expected, kinds.FunctionKind):
        return inline.inline(frame, callee, args, kwargs)
    target = constant(frame, callee)
    if target is UNFOLDED or target is GONE:
        return _call_unknown(frame, callee, args, kwargs)
    return _call_known(frame, callee, target, args, kwargs)


def _call_unknown(
    frame: Frame, callee: Value, args: list[Value], kwargs: dict[str, Value]
) -> Value:
    source = callee.source if isinstance(callee, Outside) else None
    name = getattr(source, "name", "")
    if _is_random(_current_binding(frame, source)):
        raise Break(registry.RANDOM.reason, name)
    kind = callee.kind
    if isinstance(kind, kinds.ObjectKind) and kind.type is np.ufunc:
        raise Break(CALLBACK)  # made by np.frompyfunc: it calls Python code
    unknown = type(kind) is kinds.Kind or (isinstance(kind, kinds.KnownKind) and kind.value is GONE)
    raise Break(UNKNOWN_CALLEE, "" if unknown else name or kinds.type_name(kind))


def _current_binding(frame: Frame, source: Any) -> Any:
    """The object that a global name, or an attribute of a module so named, is bound to now."""
    if isinstance(source, GlobalName):
        own = source.namespace == frame.globals_source
        return frame.namespace.get(source.name) if own else None
    if isinstance(source, ModuleAttribute):
        module = _current_binding(frame, source.base)
        return module.__dict__.get(source.name) if type(module) is types.ModuleType else None
    return None


def _is_random(function: Any) -> bool:
    """Whether it is a function of `numpy.random`, or a method of one of its generators."""
    if "numpy.random" not in sys.modules:
        return False
    if type(function) is type(np.random.seed):
        return str(function.__module__).startswith("numpy.random")
    bound = isinstance(function, (types.MethodType, types.BuiltinMethodType))
    return bound and type(function.__self__) in (np.random.RandomState, np.random.Generator)


def _call_known(
    frame: Frame, callee: Value, target: Any, args: list[Value], kwargs: dict[str, Value]
) -> Value:
    rule = builtin_calls.rule_for(target)
    if rule is not None:
        return rule(frame, args, kwargs)
    found = registry.record_of(target)
    if isinstance(found, registry.Treatment):
        raise Break(found.reason, getattr(target, "__name__", ""))
    if found is not None:
        return frame.compute(found, args, kwargs)
    if type(target) is types.FunctionType and isinstance(callee, Outside):
        return inline.inline(frame, callee, args, kwargs)
    if type(target) is functools.partial:
        return _call_partial(frame, callee, target, args, kwargs)
    if isinstance(target, type) and type(target) is not type:
        raise Break(OPAQUE_CALL, _CLASS_NAME(target))  # `target.__name__` may be the user's code
    if str(getattr(target, "__module__", "")).startswith("numpy.random"):
        raise Break(registry.RANDOM.reason, getattr(target, "__name__", ""))
    raise Break(OPAQUE_CALL, getattr(target, "__qualname__", type(target).__name__))


def _call_partial(
    frame: Frame,
    callee: Value,
    target: functools.partial[Any],
    args: list[Value],
    kwargs: dict[str, Value],
) -> Value:
    """Call a partial; the region reads its parts, since `__setstate__` can replace all of them."""
    if not isinstance(callee, Outside):
        raise Break(OPAQUE_CALL, "functools.partial")
    parts = {
        name: Outside(Attribute(callee.source, name), describe(getattr(target, name)))
        for name in ("func", "args", "keywords")
    }
    bound, first = frame.pairs_of(parts["keywords"]), frame.items_of(parts["args"])
    if bound is None or first is None:
        raise Break(OPAQUE_CALL, "functools.partial")
    return call(frame, parts["func"], [*first, *args], {**bound, **kwargs})


def _call_method(
    frame: Frame, callee: BoundMethod, args: list[Value], kwargs: dict[str, Value]
) -> Value:
    """Call a method of an array, a scalar or a container."""
    value = callee.self
    rule = container_methods.rule_for(value, callee.name)
    if rule is not None:
        return rule(frame, value, args, kwargs)
    kind = frame.assume(value)
    if not is_numeric(kind) or isinstance(kind, kinds.PythonScalarKind):
        raise Break(UNKNOWN_METHOD, callee.name)
    record = registry.method(callee.name, kind)
    if record is None:
        raise unsupported(value)
    return frame.compute(record, [value, *args], kwargs)
