"""Effects: the one write of a region to outside memory, prepared so that it cannot fail.

Invariant: preparing computes everything that can raise (shapes, casts, floating-point flags, data
errors) into memory of our own and returns a *commit*, a C-level callable that only copies between
arrays of equal dtype and fitting shape. What cannot be proved raises CannotProve, before a byte of
the target is written, and the original instruction runs instead. Read `exec.reference` next.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np

from dyntrace.errors import DyntraceError
from dyntrace.graph.node import Node
from dyntrace.graph.ownership import written

Commit = Callable[[], Any]


class CannotProve(DyntraceError):
    """The effect may fail, or may differ in bits through a temporary; the region deopts."""


def target(effect: Node) -> Node:
    """The node whose memory the effect writes: also the effect's own value."""
    if effect.op.style in ("setitem", "inplace"):
        found = effect.args[0]
    else:
        found = written(effect)[0]
    assert isinstance(found, Node)
    return found


def preparer(effect: Node) -> Callable[..., Commit]:
    """The function that takes the effect's argument values and returns its commit."""
    if effect.op.style == "setitem":
        return prepare_setitem
    return partial(prepare_call, effect.op.target, effect.op.writes)


def prepare_setitem(array: Any, index: Any, value: Any) -> Commit:
    view = array[index] if not isinstance(array[index], np.generic) else array[index, ...]
    if view.base is None or not array.flags.writeable:
        raise CannotProve("not a view")
    temporary = np.empty(view.shape, view.dtype)
    temporary[...] = value
    return partial(view.__setitem__, Ellipsis, temporary)


def prepare_call(function: Any, writes: Any, *args: Any, **kwargs: Any) -> Commit:
    array = args[0] if 0 in writes or not writes else kwargs["out"]
    if not array.flags.writeable:
        raise CannotProve("read-only")
    temporary = np.copy(array, order="K")
    if array is args[0]:
        result = function(temporary, *args[1:], **kwargs)
    else:
        result = function(*args, **{**kwargs, "out": temporary})
    return partial(array.__setitem__, Ellipsis, temporary)
