"""Instructions for writes: a region's trailing effect, and in-place operators on its own arrays.

A region without outputs does its effect itself (`lower_effect`). Any other region prepares a commit
(`lower_commit`). An in-place operator on an array that the region made, and that shares no memory
with another value, computes a new value that replaces the array's (`lower_inplace`).
`exec.lower.choice` calls these.
"""

from __future__ import annotations

import operator
from typing import Any, NamedTuple

import numpy as np

from dyntrace.exec.effects import writes
from dyntrace.exec.lower import inner_loops, templates
from dyntrace.exec.lower.description import (
    AssignInstruction,
    CallStep,
    CommitStep,
    ConstantTemplate,
    Loop,
    PythonCall,
    RegisterTemplate,
    Template,
    ViewInstruction,
)
from dyntrace.exec.lower.lower_elementwise import dtype_of, emit_plain_loop, has_none
from dyntrace.exec.lower.lower_views import can_select, items_of, need_objects
from dyntrace.exec.lower.lowering import MAX_NDIM, Lowering, NodeCall
from dyntrace.graph.kinds import ArrayKind, NumpyScalarKind, PythonScalarKind
from dyntrace.graph.node import Node
from dyntrace.graph.ownership import is_fresh, shares
from dyntrace.graph.subscripts import index_items
from dyntrace.ops.facts import BY_INPLACE


def lower_effect(lowering: Lowering, effect: Node) -> bool:
    """Emit the effect; False if the machine cannot do it, so that NumPy has to prepare it."""
    call = _begin(lowering, effect)
    found = _parts(lowering, effect)
    if found is None:
        return False
    array, target, source, strict = found
    call.reg = lowering.new(None, -1)
    lowering.node = call
    lowering.emit(AssignInstruction((target, source), (), strict))
    lowering.segment.target = _root(lowering, array)
    lowering.close()
    return True


def _begin(lowering: Lowering, effect: Node) -> NodeCall:
    """Begin the node of the effect, whose call is that of the effect's preparer."""
    return lowering.begin(writes.preparer(effect), effect.args, effect.kwargs, None)


def lower_commit(lowering: Lowering, effect: Node, commit: int) -> bool:
    """Prepare the effect, with its commit in register `commit`; False if the machine cannot."""
    call = _begin(lowering, effect)
    call.reg = commit
    found = _parts(lowering, effect)
    if found is None:
        return False
    _, target, source, strict = found
    if lowering.dtype(source) not in (None, lowering.dtype(target)):
        source = _converted(lowering, source, target)
    for reg in (target, source):
        lowering.as_object(reg)
    lowering.steps.append(CommitStep(commit, target, source, strict))
    return True


def _converted(lowering: Lowering, source: int, target: int) -> int:
    """The source, an array in the target's dtype or a number."""
    dtype, (found, ndim) = lowering.dtype(target), lowering.registers[source]
    assert dtype is not None
    if ndim < 0:
        return source
    reg = lowering.new(dtype, ndim)
    loop = inner_loops.machine_loop("copy", (dtype, dtype))
    lowering.node = NodeCall(
        np.ndarray.astype, _templates(source, dtype), None, None, [source], [], reg
    )
    lowering.segment.overflows |= inner_loops.may_overflow(found, dtype)
    emit_plain_loop(lowering, loop, (source,), reg)
    return reg


def _templates(source: int, dtype: np.dtype[Any]) -> tuple[Template, ...]:
    return RegisterTemplate(source), ConstantTemplate(dtype)


class Parts(NamedTuple):
    """A write: the array, the registers of the part written and of the value.

    `strict`: the value must have the shape of the part.
    """

    array: Node
    target: int
    source: int
    strict: bool


def _parts(lowering: Lowering, effect: Node) -> Parts | None:
    if not lowering.is_within_limits(effect):
        return None
    if effect.op.style == "setitem":
        return _setitem_parts(lowering, *effect.args)
    if effect.op.style == "inplace":
        ufunc = BY_INPLACE.get(effect.op.target)
        return None if ufunc is None else _computed(lowering, ufunc, effect.args, effect.args[0])
    return _out_parts(lowering, effect)


def _out_parts(lowering: Lowering, effect: Node) -> Parts | None:
    """`np.add(x, y, out=z)` without other keywords."""
    ufunc, keywords = effect.op.target, dict(effect.kwargs)
    if not isinstance(ufunc, np.ufunc) or ufunc.nout != 1 or set(keywords) - {"out"}:
        return None
    target = keywords.get("out") if "out" in keywords else effect.args[-1]
    if type(target) is tuple and len(target) == 1:
        target = target[0]
    if len(effect.args) != ufunc.nin + ("out" not in keywords):
        return None
    return _computed(lowering, ufunc, effect.args[: ufunc.nin], target)


def _root(lowering: Lowering, array: Node) -> int:
    """The register of the array whose memory is written."""
    reg = lowering.register_of[array]
    return lowering.root_of.get(reg, reg)


def _is_input_array(lowering: Lowering, target: Any) -> bool:
    """Whether the target is an input array, or a view that the machine made of one."""
    if not isinstance(target, Node) or not isinstance(target.kind, ArrayKind):
        return False
    return _root(lowering, target) < len(lowering.graph.inputs)


def _loop_for(
    lowering: Lowering, ufunc: np.ufunc, args: tuple[Any, ...], dtype: np.dtype[Any]
) -> tuple[Loop, tuple[int, ...]] | None:
    """The loop that computes into an array of `dtype`, with the operands' registers."""
    dtypes = tuple(map(dtype_of, args))
    regs = [lowering.operand(value) for value in args]
    if has_none(dtypes) or has_none(regs):
        return None
    loop = inner_loops.elementwise(ufunc, (*dtypes, dtype), "same_kind")
    if loop is None or not inner_loops.can_cast(loop.dtypes[-1], dtype):
        return None
    if inner_loops.exactness(ufunc, loop.dtypes[0]) != inner_loops.EXACT:
        return None  # its bits may depend on the target's strides
    overflows = [*zip(dtypes, loop.dtypes, strict=False), (loop.dtypes[-1], dtype)]
    lowering.segment.overflows |= any(inner_loops.may_overflow(*pair) for pair in overflows)
    return loop, tuple(reg for reg in regs if reg is not None)


def _computed(
    lowering: Lowering, ufunc: np.ufunc, args: tuple[Any, ...], target: Any
) -> Parts | None:
    """The parts of a write of a loop's result, cast to the target's dtype, into the target."""
    has_dtype = any(isinstance(dtype_of(value), np.dtype) for value in args)
    if not has_dtype or not _is_input_array(lowering, target):
        return None  # without arrays, the size of Python's numbers decides the loop
    found = _loop_for(lowering, ufunc, args, target.kind.dtype)
    if found is None:
        return None
    loop, ins = found
    result = lowering.new(target.kind.dtype, target.kind.ndim)
    emit_plain_loop(lowering, loop, ins, result)
    return Parts(target, lowering.register_of[target], result, strict=True)


def _setitem_parts(lowering: Lowering, array: Any, index: Any, value: Any) -> Parts | None:
    """`x[...] = value` with a basic index and a value that is cast without a warning."""
    if not _is_input_array(lowering, array) or not can_select(index):
        return None
    source = lowering.operand(value)
    ndim = array.kind.ndim - _removed_axes(index) + _added_axes(index)
    if source is None or not _fits(value, array.kind.dtype) or not 0 <= ndim <= MAX_NDIM:
        return None
    need_objects(lowering, index)
    items = items_of(lowering, index)
    view = lowering.new(array.kind.dtype, ndim)
    selecting = index if ndim else _as_array(index)
    lowering.begin(operator.getitem, (array, selecting), (), None).reg = view
    if isinstance(value, Node) and isinstance(value.kind, ArrayKind):
        lowering.segment.overflows |= inner_loops.may_overflow(value.kind.dtype, array.kind.dtype)
    lowering.emit_view(ViewInstruction((lowering.register_of[array],), (view,), items))
    return Parts(array, view, source, strict=False)


def _as_array(index: Any) -> tuple[Any, ...]:
    """The index with an Ellipsis, so that it selects a 0-d array, not a scalar."""
    items = index_items(index)
    return items if any(item is Ellipsis for item in items) else (*items, Ellipsis)


def _removed_axes(index: Any) -> int:
    """How many axes the ints of an index remove."""
    kept = (item is None or item is Ellipsis or type(item) is slice for item in index_items(index))
    return sum(not keeps for keeps in kept)


def _added_axes(index: Any) -> int:
    return sum(item is None for item in index_items(index))


def _fits(value: Any, dtype: np.dtype[Any]) -> bool:
    """Whether the machine casts the value to this dtype as NumPy's assignment does."""
    found = dtype_of(value)
    if isinstance(value, Node) and isinstance(value.kind, ArrayKind):
        return inner_loops.can_cast(found, dtype)
    if isinstance(value, Node) and not isinstance(value.kind, (NumpyScalarKind, PythonScalarKind)):
        return False
    if isinstance(found, np.dtype):
        return found == dtype or (found.kind == "b" and inner_loops.can_cast(found, dtype))
    if found is float:
        return dtype.char in "fdgFD"
    return found is int and dtype.kind in "iufc" and dtype.char != "e"


# In place on arrays that the region made ----------------------------------------------------------
def lower_inplace(lowering: Lowering, node: Node) -> bool:
    """`x += y` for an x that the region made: a new value of x's layout replaces that of x."""
    ufunc = BY_INPLACE.get(node.op.target) if node.op.style == "inplace" else None
    target = node.args[0]
    if ufunc is None or not isinstance(target, Node) or not isinstance(node.kind, ArrayKind):
        return False
    if not lowering.is_within_limits(node):
        return False
    if not is_fresh(target) or target.kind != node.kind or _may_be_shared(lowering, target):
        return False
    found = _loop_for(lowering, ufunc, node.args, node.kind.dtype)
    if found is None:
        return False
    loop, ins = found
    result = lowering.declare(node)
    emit_plain_loop(lowering, loop, ins, result, inplace=True)
    lowering.replace(target, result)
    return True


def _may_be_shared(lowering: Lowering, target: Node) -> bool:
    """Whether a value other than in-place results may share the array's memory."""
    names = {target}
    for node in lowering.graph.nodes:
        if any(value in names for value in shares(node) if isinstance(value, Node)):
            if node.op.style != "inplace" or node.args[0] not in names:
                return True
            names.add(node)
    return _is_view(target)


def _is_view(target: Node) -> bool:
    """Whether the array may be a view of another value of the region."""
    found = target
    while found.op.style == "inplace":
        found = found.args[0]
    return bool(shares(found))


def prepare_commit(lowering: Lowering, effect: Node) -> RegisterTemplate:
    """Prepare the effect, by the machine or in Python; the template of its commit."""
    reg = lowering.new(None, -1)
    if not lower_commit(lowering, effect, reg):
        lowering.call(reg, writes.preparer(effect), effect.args, effect.kwargs, None, ordered=True)
    value = writes.value_of(effect)
    if isinstance(value, Node):
        lowering.register_of[effect] = lowering.register_of[value]
    else:
        lowering.register_of[effect] = constant = lowering.new(None, -1)
        built = (templates.template(lowering, value),)
        lowering.steps.append(CallStep(PythonCall(constant, _same, built, None, None)))
    return RegisterTemplate(reg)


def _same(value: Any) -> Any:
    return value
