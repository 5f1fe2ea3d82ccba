"""Calls: what a callee is decides the way, each way once.

NumPy operations become nodes, Python's pure built-ins have a rule each
(`trace.semantics.builtin_calls`), user functions are inlined (`trace.semantics.inline`), everything
else breaks with its reason. Invariant: a callee is used only after the guards say it is this one.
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
    """Whether reading that attribute of `obj` runs no code and always finds the same."""
    if name in getattr(obj, "__dict__", ()):
        return False  # added by the user: it may change
    if name.startswith("__") and name not in _FIXED_NAMES:
        return False  # texts about a function can be set
    if isinstance(obj, np.dtype):
        return type(obj).__module__ == "numpy.dtypes" and obj.names is None  # names can be set
    return isinstance(obj, _FIXED) or type(obj).__module__ == "numpy.dtypes"


def implied_function(function: types.FunctionType) -> Outside:
    """A function that a guard on something else implies."""
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
        raise Break(CALLBACK)  # made from Python code, and held by nobody but the user
    unknown = type(kind) is kinds.Kind or (isinstance(kind, kinds.KnownKind) and kind.value is GONE)
    raise Break(UNKNOWN_CALLEE, "" if unknown else name or kinds.type_name(kind))


def _current_binding(frame: Frame, source: Any) -> Any:
    """What a global name, or an attribute of a module found so, is bound to at this moment."""
    if isinstance(source, GlobalName):
        own = source.namespace == frame.globals_source
        return frame.namespace.get(source.name) if own else None
    if isinstance(source, ModuleAttribute):
        module = _current_binding(frame, source.base)
        return module.__dict__.get(source.name) if type(module) is types.ModuleType else None
    return None


def _is_random(function: Any) -> bool:
    """Whether it is a method of a random generator, the hidden global one included."""
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
        raise Break(OPAQUE_CALL, _CLASS_NAME(target))  # its metaclass must not be asked
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
    """What a partial holds is read from it each time; `__setstate__` can replace all of it."""
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
    """A method of an array, a scalar or a container."""
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
