"""`np.r_`, `np.c_`, `np.mgrid`, `np.ogrid` and `np.s_`: objects that are subscripted, not called.

Each is one object, looked up by identity. Its subscript is probed like a call. Numbers in slices
stay dynamic; since their size may decide the dtype, the result is checked. Subscripts of arrays are
in `ops.numpy.indexing`.
"""

from __future__ import annotations

import operator
from types import MappingProxyType
from typing import Any

import numpy as np

from dyntrace.graph.kinds import Kind
from dyntrace.graph.node import Op
from dyntrace.ops.call import NumpyCall
from dyntrace.ops.probe import DATA, probing
from dyntrace.ops.registry import Infer, Record, add_subscript

_OBJECTS = MappingProxyType(
    {name: getattr(np, name) for name in ("r_", "c_", "mgrid", "ogrid", "s_", "index_exp")}
)


def _of_the_index(op: Op, target: Any) -> Infer:
    infer = probing(Op(op.name, lambda index: target[index], op.family), DATA)

    def checked(call: NumpyCall) -> Kind:
        return infer(NumpyCall(call.args[1:]))

    return checked


def _register() -> None:
    for name, target in _OBJECTS.items():
        op = Op(f"numpy.{name}", operator.getitem, "indexing", "item", aliases=True)
        add_subscript(target, Record(op, _of_the_index(op, target)))


_register()
