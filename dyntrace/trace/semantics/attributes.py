"""Attribute look-up on symbolic values.

Attributes of arrays have records in `ops`; those of modules are entries of their dicts. For an
instance of a plain class the order is that of `object.__getattribute__` (Objects/object.c,
`_PyObject_GenericGetAttrWithDict`): data descriptor of the class, own dict, other class attribute.
The getter of a property is inlined, or breaks. Invariant: the region guards that the class of each
instance it looks into is unchanged, so CPython would find the same class attribute. Read
`trace.semantics.calling` next.
"""

from __future__ import annotations

import builtins
import types
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

import numpy as np

from dyntrace.breaks import ATTRIBUTE_READ, UNKNOWN_METHOD
from dyntrace.graph import kinds
from dyntrace.graph.describe import describe
from dyntrace.graph.identity import HEAP_TYPE, lasts
from dyntrace.graph.instances import MISSING, class_lookup, is_data_descriptor
from dyntrace.graph.kinds import ArrayKind, NumpyScalarKind
from dyntrace.ops import registry
from dyntrace.trace.frame import Break, Frame
from dyntrace.trace.regions.builder import Guard
from dyntrace.trace.semantics import calling
from dyntrace.trace.semantics.builtin_calls import rule
from dyntrace.trace.semantics.operands import read_value
from dyntrace.trace.semantics.protocol import get_item, is_numeric, node_items, unsupported
from dyntrace.trace.sources import (
    Attribute,
    ClassAttribute,
    ModuleAttribute,
    NoOwnAttribute,
    Source,
    TypeOf,
)
from dyntrace.trace.values.base import Computed, Constant, Outside, Value
from dyntrace.trace.values.callables import BoundFunction, BoundMethod
from dyntrace.trace.values.containers import DictValue, ListValue, TupleValue

__all__ = ["get_attribute"]

_IMMUTABLE_TYPE = 1 << 8
_DATA_DESCRIPTORS = (types.GetSetDescriptorType, types.MemberDescriptorType)
_METATYPE_ATTRIBUTES = frozenset(  # data descriptors of `type`, which precede the class's own dict
    name for name, found in vars(type).items() if type(found) in _DATA_DESCRIPTORS
)
_BUILT_CLASSES: Mapping[type[Value], type] = MappingProxyType(
    {ListValue: list, TupleValue: tuple, DictValue: dict}
)


def get_attribute(frame: Frame, value: Value, name: str) -> Value:
    """`value.name`."""
    cls = _container_class(value)
    if cls is not None and hasattr(cls, name):
        if isinstance(value, Outside):  # the method depends on the type, not on the items
            frame.region.guard(value.source, Guard("exact", cls))
        return BoundMethod(value, name)
    kind = frame.assume(value)
    if is_numeric(kind):
        return _numeric(frame, value, name)
    if isinstance(kind, kinds.KnownKind):
        return _of_known(frame, value, kind.value, name)
    if isinstance(kind, kinds.InstanceKind) and isinstance(value, Outside):
        return _of_instance(frame, value, kind, name)
    if cls is not None or _is_container(kind):
        return _of_container(frame, value, kind, name)
    treatment = registry.object_treatment(kind.type) if isinstance(kind, kinds.ObjectKind) else None
    raise unsupported(value) if treatment is None else Break(treatment.reason, name)


@rule(builtins.getattr)
def getattr_call(frame: Frame, args: list[Value], kwargs: dict[str, Value]) -> Value:
    """`getattr(value, name)` with a constant or guarded name."""
    if kwargs or len(args) != 2:
        raise unsupported(*args)
    name = read_value(frame, args[1])
    if type(name) is not str:
        raise unsupported(*args)
    return get_attribute(frame, args[0], name)


def _container_class(value: Value) -> type | None:
    """list, tuple, dict or str if the value is exactly one of these, else None."""
    if not isinstance(value, Outside):
        return _BUILT_CLASSES.get(type(value))
    kind = value.expected
    if isinstance(kind, kinds.SequenceKind):
        found: type = kind.type
        return found if found is list or found is tuple else None
    return _EXACT_CLASSES.get(type(kind))


_EXACT_CLASSES: Mapping[type[kinds.Kind], type] = MappingProxyType(
    {kinds.DictKind: dict, kinds.StringKind: str}
)


def _is_container(kind: kinds.Kind) -> bool:
    return isinstance(kind, (kinds.SequenceKind, kinds.DictKind, kinds.StringKind))


def _numeric(frame: Frame, value: Value, name: str) -> Value:
    """An attribute or method of an array or scalar."""
    kind = value.kind
    if isinstance(kind, (ArrayKind, NumpyScalarKind)) and name in ("ndim", "dtype"):
        ndim = kind.ndim if isinstance(kind, ArrayKind) else 0
        return Constant(ndim if name == "ndim" else kind.dtype)
    record = registry.attribute(name)
    if record is not None and (isinstance(kind, (ArrayKind, NumpyScalarKind)) or name in _PLAIN):
        return frame.compute(record, [value])
    if isinstance(kind, (ArrayKind, NumpyScalarKind)):
        treatment = registry.array_treatment(name)
        if registry.method(name) is None and treatment is not None:
            raise Break(treatment.reason, name)
    if hasattr(_class_of(kind), name):
        return BoundMethod(value, name)
    raise Break(UNKNOWN_METHOD, name)


_PLAIN = ("real", "imag")


def _class_of(kind: kinds.Kind) -> type:
    if isinstance(kind, ArrayKind):
        return np.ndarray
    if isinstance(kind, NumpyScalarKind):
        return kind.dtype.type
    return getattr(kind, "type", object)


def _of_known(frame: Frame, value: Value, obj: Any, name: str) -> Value:
    """An attribute of `obj`: a module, class, ufunc or function that is guarded by identity."""
    if type(obj) is types.ModuleType and isinstance(value, Outside):
        found = obj.__dict__.get(name, MISSING)
        if found is MISSING:
            raise Break(ATTRIBUTE_READ, name)
        return _read(frame, ModuleAttribute(value.source, name), found)
    if isinstance(obj, type):
        return _of_class(frame, value, obj, name)
    found = getattr(obj, name, MISSING) if calling.has_fixed_attribute(obj, name) else MISSING
    if found is MISSING or not lasts(found):
        raise Break(ATTRIBUTE_READ, name)
    return Constant(found)


def _of_class(frame: Frame, value: Value, cls: type, name: str) -> Value:
    """An attribute of a class; those of static types are constants."""
    if type(cls) is type and not cls.__flags__ & HEAP_TYPE:
        found = getattr(cls, name, MISSING)
        if found is not MISSING:
            return Constant(found)
    if type(cls) is not type or not isinstance(value, Outside) or name in _METATYPE_ATTRIBUTES:
        raise Break(ATTRIBUTE_READ, name)
    found = class_lookup(cls, name)
    if isinstance(found, (staticmethod, classmethod, property)) or found is MISSING:
        raise Break(ATTRIBUTE_READ, name)
    if _has(found, "__get__") and not isinstance(found, types.FunctionType):
        raise Break(ATTRIBUTE_READ, name)
    return _guard_no_descriptor(
        frame, _read(frame, ClassAttribute(value.source, name), found), found, name
    )


def _has(found: Any, name: str) -> bool:
    """Whether the class of `found` defines the special method `name`."""
    return class_lookup(type(found), name) is not MISSING


def _guard_no_descriptor(frame: Frame, value: Outside, found: Any, name: str) -> Outside:
    """`value`, which a class has under `name`; guard that it does not become a descriptor.

    The class of `found` could get a `__get__` later: a plain one is guarded, another one breaks.
    """
    if isinstance(value.expected, kinds.InstanceKind):
        frame.assume(value)
    elif type(found).__flags__ & (HEAP_TYPE | _IMMUTABLE_TYPE) == HEAP_TYPE:
        raise Break(ATTRIBUTE_READ, name)
    return value


def _read(frame: Frame, source: Source, found: Any) -> Outside:
    """The value of `source`, which the region reads even if it does not use it."""
    frame.region.read(source)
    return Outside(source, describe(found))


def _of_instance(frame: Frame, value: Outside, kind: kinds.InstanceKind, name: str) -> Value:
    own = dict(kind.attributes)
    found = class_lookup(kind.type, name)
    if type(found) is property:
        return _property(frame, value, found)
    if isinstance(found, types.MemberDescriptorType) or found is MISSING or name in own:
        if name not in own:
            raise Break(ATTRIBUTE_READ, name)
        slot = isinstance(found, types.MemberDescriptorType)
        if found is not MISSING and not slot and is_data_descriptor(found):
            raise Break(ATTRIBUTE_READ, name)
        source = Attribute(value.source, name)
        frame.region.read(source)
        return Outside(source, own[name])
    _guard_no_own_attribute(frame, value, name)
    return _bound(frame, value, found, name)


def _guard_no_own_attribute(frame: Frame, value: Outside, name: str) -> None:
    """Guard that the instance has no attribute `name`, which would hide that of its class."""
    frame.assume(value)
    frame.region.read(NoOwnAttribute(value.source, name))


def _property(frame: Frame, value: Outside, found: property) -> Value:
    """Call the getter. The guard on the class covers the property, whose `fget` is read-only."""
    getter = found.fget
    if type(getter) is not types.FunctionType:
        raise Break(ATTRIBUTE_READ)
    function = calling.implied_function(getter)
    return calling.call(frame, function, [value], {})


def _bound(frame: Frame, value: Outside, found: Any, name: str) -> Value:
    """The class attribute `found`, bound to `value` as `object.__getattribute__` would do."""
    cls = TypeOf(value.source)
    if isinstance(found, types.FunctionType):
        return BoundFunction(value, Outside(ClassAttribute(cls, name), describe(found)))
    if type(found) is staticmethod and isinstance(found.__func__, types.FunctionType):
        return calling.implied_function(found.__func__)
    if type(found) is classmethod and isinstance(found.__func__, types.FunctionType):
        owner = Outside(cls, kinds.KnownKind(type_of(value)))
        return BoundFunction(owner, calling.implied_function(found.__func__))
    if _has(found, "__get__"):
        raise Break(ATTRIBUTE_READ, name)
    return _guard_no_descriptor(
        frame, Outside(ClassAttribute(cls, name), describe(found)), found, name
    )


def type_of(value: Outside) -> Any:
    """The class of an instance value."""
    kind = value.kind
    assert isinstance(kind, kinds.InstanceKind)
    return kind.type


def _of_container(frame: Frame, value: Value, kind: kinds.Kind, name: str) -> Value:
    """A method of a tuple, list, dict or str, or a field of one of NumPy's named tuples."""
    fields = getattr(getattr(kind, "type", None), "_fields", ())
    if name in fields:
        if isinstance(value, Computed) and isinstance(kind, kinds.SequenceKind):
            return node_items(frame, value, kind)[fields.index(name)]
        return get_item(frame, value, Constant(fields.index(name)))
    cls = str if isinstance(kind, kinds.StringKind) else getattr(kind, "type", dict)
    if hasattr(cls, name):
        return BoundMethod(value, name)
    raise Break(UNKNOWN_METHOD, name)
