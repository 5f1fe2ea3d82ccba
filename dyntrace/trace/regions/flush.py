"""Flush: the outputs of a region's graph, and the layout by which its stub stores and pushes them.

After a region the frame must be as CPython would have left it: the stack is rebuilt, live locals
are stored, and dead ones too if their object exists anyway. Values that the region did not compute
pass through the graph as outputs; the stub pushes NULLs itself. Invariant: traces with equal
layouts can share one stub. Read `weaving.stubs`, which makes the stub, next.
"""

from __future__ import annotations

import types
from collections.abc import Iterator, Mapping
from types import MappingProxyType
from typing import Any

from dyntrace.asm.flow import successors
from dyntrace.asm.instructions import Body, MicroOp
from dyntrace.breaks import REGION_FULL, SECOND_EFFECT
from dyntrace.exec.results import returns_bare_value
from dyntrace.graph import kinds
from dyntrace.graph.node import Node, Op
from dyntrace.graph.ownership import is_fresh, roots
from dyntrace.record import record
from dyntrace.trace.frame import Break, Frame
from dyntrace.trace.interpreter import Trace
from dyntrace.trace.regions.builder import TooLarge
from dyntrace.trace.semantics.renewal import RENEW, is_shared
from dyntrace.trace.sources import CellVariable, Contents, Local, Source
from dyntrace.trace.state import NULL_SLOT
from dyntrace.trace.values.base import Computed, Constant, Folded, Null, Outside, Value
from dyntrace.trace.values.callables import BoundFunction, BoundMethod, CallableWithCopy
from dyntrace.trace.values.containers import DictValue, ListValue, SliceValue, TupleValue

__all__ = ["Layout", "lay_out"]


@record(frozen=True)
class Layout:
    """How a stub calls its region, and what it does with the result.

    start, end  the unit before which the stub stands, and the unit where it continues
    arguments   the sources whose values it passes, in order
    dropped     for each stack slot that it removes, topmost first, whether the slot holds NULL
    stores      for each output that it stores, the slot and whether that is a cell
    pushes      for each slot that it then pushes, deepest first, whether that is a NULL
    cleared     dead locals that it sets to None, so that they release what they hold
    depth       the depth of the stack at the start
    commit      whether the last item of the result is the commit of an effect
    bare        whether the result is the only output itself and not a tuple
    """

    start: int
    end: int
    arguments: tuple[Source, ...]
    dropped: tuple[bool, ...]
    stores: tuple[tuple[int, bool], ...]
    pushes: tuple[bool, ...]
    cleared: tuple[int, ...]
    depth: int
    commit: bool
    bare: bool

    @property
    def effect_only(self) -> bool:
        """Whether the region has no output, so that it performs its effect and returns True."""
        return self.commit and not self.stores and not self.pushes


class _Outputs:
    """Makes graph outputs of values; a value that occurs twice becomes one object."""

    def __init__(self, frame: Frame) -> None:
        self.frame = frame
        # by id(value); the value is held as well, so that no other one gets its id
        self.made: dict[int, tuple[Value, Any]] = {}
        self.by_nodes = False

    def keep_identity(self, values: list[Value]) -> None:
        """Make containers by nodes if a bound method of a list or dict is among the outputs.

        Otherwise the container that the method is bound to, an argument of a node, and the same
        container as an output would be two objects.
        """
        self.by_nodes = any(map(_holds_method, values))

    def of(self, value: Value) -> Any:
        if id(value) not in self.made:
            made = self._make(value)
            maker = _MAKERS.get(type(value)) if self.by_nodes else None
            self.made[id(value)] = (value, made if maker is None else self._node(maker, made))
        return self.made[id(value)][1]

    def _make(self, value: Value) -> Any:
        match value:
            case Computed():
                return value.node
            case Folded():
                return self._node(RENEW, value.value)
            case Constant():
                return value.value
            case Outside():
                return self.frame.region.input(value.source, kinds.UNKNOWN)  # unguarded
            case TupleValue():
                return self._renewed_if_shared(tuple(self.of(item) for item in value.items))
            case ListValue():
                return [self.of(item) for item in value.items]
            case DictValue():
                return {key: self.of(item) for key, item in value.items.items()}
            case SliceValue():
                parts = (value.start, value.stop, value.step)
                return self._renewed_if_shared(slice(*map(self.of, parts)))
            case BoundMethod():
                return self._node(_GET_METHOD, self.of(value.self), value.name)
            case BoundFunction():
                return self._node(_BIND, self.of(value.function), self.of(value.self))
            case CallableWithCopy():
                return self._with_copy(value)
        raise AssertionError(f"{type(value).__name__} cannot leave a region")

    def _renewed_if_shared(self, made: Any) -> Any:
        """A tuple or slice that is a new object in each call even if its items are constants."""
        return self._node(RENEW, made) if is_shared(made) else made

    def _with_copy(self, value: CallableWithCopy) -> Any:
        if value.self is None:
            return value.optimised_copy
        return self._node(_BIND, value.optimised_copy, self.of(value.self))

    def _node(self, op: Op, *args: Any) -> Node:
        frame = self.frame
        return frame.region.add(op, args, (), kinds.UNKNOWN, frame.origin())


_GET_METHOD = Op("builtins.getattr", getattr, "item", exact=True, aliases=True)
_MAKERS: Mapping[type[Value], Op] = MappingProxyType(
    {
        TupleValue: Op("builtins.tuple", tuple, "item", exact=True, aliases=True),
        ListValue: Op("builtins.list", list, "item", exact=True, aliases=True),
        DictValue: Op("builtins.dict", dict, "item", exact=True, aliases=True),
    }
)
_BIND = Op("types.MethodType", types.MethodType, "item", exact=True, aliases=True)


def _holds_method(value: Value) -> bool:
    """Whether a value is or contains a bound method of a list or dict that the region builds."""
    match value:
        case BoundMethod():
            return isinstance(value.self, (ListValue, DictValue))
        case TupleValue() | ListValue():
            return any(map(_holds_method, value.items))
        case DictValue():
            return any(map(_holds_method, value.items.values()))
    return False


def lay_out(trace: Trace, body: Body, live: frozenset[int], observed: bool) -> Layout:
    """Add the graph's outputs and return the layout; Break if the region is too large.

    `observed` tells that the function looks at its own locals, so dead ones count as live.
    """
    try:
        return _lay_out(trace, body, live, observed)
    except TooLarge:
        raise Break(REGION_FULL) from None


def _lay_out(trace: Trace, body: Body, live: frozenset[int], observed: bool) -> Layout:
    frame, graph = trace.frame, trace.region.graph
    trace.region.end_tracing()
    outputs = _Outputs(frame)
    common = _common_depth(trace)
    pushes = frame.stack[common:]
    stores, cleared = _stores(trace, body, live, observed, pushes)
    if graph.effect is not None and any(isinstance(value, Null) for value in pushes):
        raise Break(SECOND_EFFECT)
    outputs.keep_identity([*(value for _, value in stores), *pushes])
    graph.outputs = [outputs.of(value) for _, value in stores]
    graph.outputs += _pushed(outputs, pushes)
    dropped = trace.state.stack[common:]
    return Layout(
        start=trace.start,
        end=trace.end,
        arguments=tuple(trace.region.arguments),
        dropped=tuple(kind is NULL_SLOT for kind in reversed(dropped)),
        stores=tuple((index, index in body.cells) for index, _ in stores),
        pushes=tuple(isinstance(value, Null) for value in pushes),
        cleared=cleared,
        depth=len(trace.state.stack),
        commit=graph.effect is not None,
        bare=returns_bare_value(graph),
    )


def _common_depth(trace: Trace) -> int:
    """The number of slots at the bottom of the stack that hold the same as at the start."""
    count = 0
    for value, initial in zip(trace.frame.stack, trace.initial, strict=False):
        if value is not initial:
            break
        count += 1
    return count


def _pushed(outputs: _Outputs, pushes: list[Value]) -> list[Any]:
    """The outputs to push: those below the last NULL in order, those above it reversed.

    The stub copies the former one by one. It unpacks the latter with UNPACK_SEQUENCE, which pushes
    the first item last (`weaving.stubs`).
    """
    nulls = [position for position, value in enumerate(pushes) if isinstance(value, Null)]
    split = nulls[-1] + 1 if nulls else 0
    head = [value for value in pushes[:split] if not isinstance(value, Null)]
    return [outputs.of(value) for value in [*head, *reversed(pushes[split:])]]


def _stores(
    trace: Trace, body: Body, live: frozenset[int], observed: bool, pushes: list[Value]
) -> tuple[list[tuple[int, Value]], tuple[int, ...]]:
    """The slots to store, and the dead ones to clear.

    A dead local is a reference, which `ndarray.resize` and `sys.getrefcount` count. So it is stored
    if its object exists after the region anyway, or if it is a view of such an object and a call
    comes before the local's next store. An object that only dead locals would hold is not made.
    """
    changed = [(i, v) for i, v in sorted(trace.frame.slots.items()) if not _is_unchanged(i, v)]
    needed = {index for index, _ in changed if observed or index in live}
    if body.units[trace.end].micro[-1:] == _RETURN and not observed:  # the frame ends at once
        return [pair for pair in changed if pair[0] in needed], ()
    surviving = _Surviving.of([*(value for index, value in changed if index in needed), *pushes])
    for index, value in changed:
        if surviving.includes(value) or (surviving.is_viewed_by(value) and _is_seen(trace, index)):
            needed.add(index)
    stores = [pair for pair in changed if pair[0] in needed]
    return stores, tuple(index for index, _ in changed if index not in needed)


_RETURN = (MicroOp("RETURN_VALUE"),)
_CALLS = frozenset({"CALL", "CALL_FUNCTION_EX", "BREAK"})


def _is_seen(trace: Trace, index: int) -> bool:
    """Whether a call after the region may come before the next store to local `index`."""
    body = trace.frame.body
    absorbed = {visit.unit for visit in trace.visits}
    waiting, seen = [trace.end], set()
    while waiting:
        unit = body.units[waiting.pop()]
        if unit.index in seen:
            continue
        seen.add(unit.index)
        if any(step.name in _CALLS for step in unit.micro) and unit.index not in absorbed:
            return True
        if not any(step.name == "STORE_FAST" and step.arg == index for step in unit.micro):
            waiting += successors(body, unit.index)
    return False


@record(frozen=True)
class _Surviving:
    """The results that exist after a region even if its dead locals are cleared.

    nodes   the nodes whose results are stored or pushed
    memory  the nodes that allocated the memory of these
    """

    nodes: frozenset[Node]
    memory: frozenset[Node]

    @classmethod
    def of(cls, values: list[Value]) -> _Surviving:
        nodes = frozenset(node for value in values for node in _nodes(value))
        return cls(nodes, frozenset(root for node in nodes for root in roots(node)))

    def includes(self, value: Value) -> bool:
        """Whether `value` is such a result or an outside object, or contains one."""
        if isinstance(value, Computed):
            return value.node in self.nodes or value.node in self.memory
        return isinstance(value, Outside) or any(map(self.includes, _parts(value)))

    def is_viewed_by(self, value: Value) -> bool:
        """Whether `value` may share memory with such a result, or with an outside object."""
        return any(
            not is_fresh(node) or not self.memory.isdisjoint(roots(node)) for node in _nodes(value)
        )


def _nodes(value: Value) -> Iterator[Node]:
    """The nodes whose results `value` is or contains."""
    if isinstance(value, Computed):
        yield value.node
    for part in _parts(value):
        yield from _nodes(part)


def _parts(value: Value) -> tuple[Value, ...]:
    """The values that `value` directly contains."""
    match value:
        case TupleValue() | ListValue():
            return tuple(value.items)
        case DictValue():
            return tuple(value.items.values())
        case SliceValue():
            return (value.start, value.stop, value.step)
        case BoundMethod():
            return (value.self,)
        case BoundFunction():
            return (value.self, value.function)
        case CallableWithCopy(self=Value() as bound):
            return (bound,)
    return ()


def _is_unchanged(index: int, value: Value) -> bool:
    return isinstance(value, Outside) and value.source in (
        Local(index),
        Contents(CellVariable(index)),
    )
