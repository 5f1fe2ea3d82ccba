"""An instance's own attributes, read by C code if the extension is built, else through `__dict__`.

Invariant: the C way (`_native/cpython/instance.c`) does not change the instance. CPython keeps
attributes in an array of values until `__dict__` is first read (Objects/dictobject.c). From then on
the instructions that are specialised for this array no longer apply to the instance. Read
`graph.describe`, the user, next.
"""

from __future__ import annotations

from types import GetSetDescriptorType
from typing import Any

from dyntrace import config

__all__ = ["own_attributes"]

if config.native:
    from dyntrace._native import own_attributes as _own_attributes


def own_attributes(instance: Any, getter: GetSetDescriptorType) -> Any:
    """The instance's attributes as a dict, which must not be changed.

    `getter` is the `__dict__` descriptor that `type` made for the class.
    """
    if config.native:
        return _own_attributes(instance)
    return getter.__get__(instance, type(instance))
