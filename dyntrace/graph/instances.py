"""Attributes where CPython looks for them: in the classes of an MRO, and in the instance itself.

Invariant: no code of the user's runs, and the C way (`_native/cpython/instance.c`) of reading an
instance's own attributes does not change the instance. CPython keeps attributes in an array of
values until `__dict__` is first read (Objects/dictobject.c). From then on the instructions that are
specialised for this array no longer apply to the instance. Read `graph.describe`, the user, next.
"""

from __future__ import annotations

from types import GetSetDescriptorType
from typing import Any

from dyntrace import config

__all__ = ["MISSING", "class_lookup", "is_data_descriptor", "own_attributes"]

MISSING: Any = object()

if config.native:
    from dyntrace._native import own_attributes as _own_attributes


def own_attributes(instance: Any, getter: GetSetDescriptorType) -> Any:
    """The instance's attributes as a dict, which must not be changed.

    `getter` is the `__dict__` descriptor that `type` made for the class.
    """
    if config.native:
        return _own_attributes(instance)
    return getter.__get__(instance, type(instance))


def class_lookup(cls: type, name: str) -> Any:
    """What the classes in the MRO of `cls` hold under `name`, unbound; `MISSING` if nothing.

    The C twin is `_PyType_Lookup`, as `_native/region/read.c` calls it.
    """
    for base in cls.__mro__:
        if name in base.__dict__:
            return base.__dict__[name]
    return MISSING


def is_data_descriptor(value: Any) -> bool:
    """Whether what a class holds takes precedence over the instance's own attributes."""
    cls = type(value)
    return (
        class_lookup(cls, "__set__") is not MISSING
        or class_lookup(cls, "__delete__") is not MISSING
    )
