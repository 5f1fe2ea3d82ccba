"""The door to the attributes that an instance holds itself: native where it is built.

Invariant: an instance is left as it was found. Only C can do that: Python asks for `__dict__`,
which makes one, and CPython's specialised instructions do not fit the instance from then on.
"""

from __future__ import annotations

from types import GetSetDescriptorType
from typing import Any

from dyntrace import config

__all__ = ["own_attributes"]

if config.native:
    from dyntrace._native import own_attributes as _own_attributes


def own_attributes(instance: Any, getter: GetSetDescriptorType) -> Any:
    """A dict to read; `getter` is what `type` made for the `__dict__` of the class."""
    if config.native:
        return _own_attributes(instance)
    return getter.__get__(instance, type(instance))
