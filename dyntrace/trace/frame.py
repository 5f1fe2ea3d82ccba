"""Frame: the symbolic stack and slots of one code object while a region is traced through it.

A slot is a fast local or the contents of a cell. The slots of the outermost frame are read from the
real frame; those of an inlined one are bound by `trace.semantics.inline`. Values become arguments
of the graph's nodes here. Invariant: the tracer relies on the expected kind of an outside value
only after `assume`, which makes the region guard it. Read `trace.semantics.protocol` next.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any

from dyntrace.asm.instructions import Body
from dyntrace.breaks import (
    ARRAY_SUBCLASS,
    ATTRIBUTE_STORE,
    NOT_NUMERIC,
    SECOND_EFFECT,
    UNKNOWN_VALUE,
    UNSEEN_ITEMS,
    UNSUPPORTED_OPERANDS,
    BreakReason,
)
from dyntrace.graph import kinds
from dyntrace.graph.identity import lasts
from dyntrace.graph.kinds import Kind
from dyntrace.graph.node import Node, Origin
from dyntrace.graph.ownership import is_fresh
from dyntrace.ops.registry import NumpyCall, Record, Refused
from dyntrace.trace.regions.builder import RegionBuilder
from dyntrace.trace.semantics.operands import TracedOperand
from dyntrace.trace.sources import CellVariable, Contents, Item, Local, Source, StackItem
from dyntrace.trace.values.base import Computed, Constant, Folded, MaybeNull, Null, Outside, Value
from dyntrace.trace.values.containers import DictValue, ListValue, SliceValue, TupleValue

__all__ = ["Break", "Flush", "Frame", "refusal_of", "refusal_of_store"]

MAX_INLINE_DEPTH = 12


class Flush(Exception):
    """The region ends before this instruction for an ordinary reason, such as a return.

    `result` is the kind that the instruction is expected to push when CPython runs it.
    """

    def __init__(self, result: Kind = kinds.UNKNOWN) -> None:
        super().__init__()
        self.result = result

    def without_traceback(self) -> Flush:
        """The exception without its traceback, whose frames would keep the user's values alive."""
        self.__context__ = None
        return self.with_traceback(None)


class Break(Flush):
    """A graph break: the region ends here because it cannot absorb this instruction.

    `lineno` is set where the cause stands on another line than the one that is traced.
    """

    def __init__(
        self,
        reason: BreakReason,
        detail: str = "",
        result: Kind = kinds.UNKNOWN,
        lineno: int = 0,
    ) -> None:
        super().__init__(result)
        self.reason = reason
        self.detail = detail
        self.lineno = lineno


def refusal_of(*held: Kind) -> Break:
    """The break for an operation that cannot be captured because of its operands' kinds."""
    if any(type(kind) is Kind for kind in held):
        return Break(UNKNOWN_VALUE)
    reason = UNSUPPORTED_OPERANDS
    if any(map(kinds.is_array_subclass, held)):
        reason = ARRAY_SUBCLASS
    elif any(map(kinds.is_not_numeric, held)):
        reason = NOT_NUMERIC
    elif any(map(kinds.has_unseen_items, held)):
        reason = UNSEEN_ITEMS
    return Break(reason, ", ".join(map(kinds.type_name, held)))


def refusal_of_store(container: Value) -> Break:
    """The break for a store into a container other than an array or one the region built."""
    held = getattr(container.kind, "type", None)
    if isinstance(container, Outside) and (held is list or held is dict or held is None):
        return Break(ATTRIBUTE_STORE, kinds.type_name(container.kind))
    return refusal_of(container.kind)


class Frame:
    """The symbolic stack and slots of one code object.

    depth           0 for the function being compiled, more for an inlined callee
    namespace       the globals of the code
    expected_kinds  for each slot the kind of the object that is in it at the start
    closure         where an inlined callee's tuple of cells is read
    globals_source  where its globals are read; None: they are the real frame's
    result          what an inlined callee returned
    """

    def __init__(
        self,
        region: RegionBuilder,
        body: Body,
        namespace: dict[str, Any],
        *,
        expected_kinds: Mapping[int, Kind] | None = None,
        depth: int = 0,
        closure: Source | None = None,
        globals_source: Source | None = None,
    ) -> None:
        self.region = region
        self.body = body
        self.code = body.code
        self.namespace = namespace
        self.expected_kinds: Mapping[int, Kind] = expected_kinds or {}
        self.depth = depth
        self.closure = closure
        self.globals_source = globals_source
        self.slots: dict[int, Value] = {}
        self.stores: list[tuple[int, Value | None]] = []  # the slot, and what it held before
        self.stack: list[Value] = []
        self.lineno = self.code.co_firstlineno
        self.result: Value | None = None
        self.first_own_node = len(region.graph.nodes)

    # stack and slots ----------------------------------------------------------------------------

    def push(self, value: Value) -> None:
        self.stack.append(value)

    def pop(self) -> Value:
        value = self.stack.pop()
        if isinstance(value, MaybeNull):
            raise Flush
        return value

    def pop_many(self, count: int) -> list[Value]:
        """Pop `count` values; the deepest comes first."""
        if not count:
            return []
        return [self.pop() for _ in range(count)][::-1]

    def load(self, index: int) -> Value:
        """The value of slot `index`: a fast local, or the contents of a cell."""
        value = self.slots.get(index)
        if value is None:
            value = self.slots[index] = self._initial(index)
        return value

    def _initial(self, index: int) -> Value:
        if self.depth:
            return self._closure_value(index)
        expected = self.expected_kinds.get(index, kinds.UNKNOWN)
        if index in self.body.cells:
            return self._contents(CellVariable(index), expected)
        return Outside(Local(index), expected)

    def _closure_value(self, index: int) -> Value:
        first_free = len(self.body.local_names) - len(self.code.co_freevars)
        if self.closure is None or index < first_free or self.region.cells_stored:
            raise Break(UNKNOWN_VALUE)
        cell = Item(self.closure, index - first_free)
        return self._contents(cell, self.expected_kinds.get(index, kinds.UNKNOWN))

    def _contents(self, cell: Source, expected: Kind) -> Outside:
        """The contents of a cell, which the region reads even if it does not use the value.

        If the cell is empty, the read fails and CPython raises the NameError.
        """
        self.region.read(Contents(cell))
        return Outside(Contents(cell), expected)

    def store(self, index: int, value: Value) -> None:
        if isinstance(value, Null):
            raise Flush
        if isinstance(value, Computed):
            value.temporary = False
        if self.region.varying and not self.depth and Local(index) in self.region.varying:
            value = without_value(value)
        self.stores.append((index, self.slots.get(index)))
        self.slots[index] = value

    def slots_before(self, count: int) -> dict[int, Value]:
        """The slots as they were after the first `count` stores."""
        slots = dict(self.slots)
        for index, old in reversed(self.stores[count:]):
            if old is None:
                del slots[index]
            else:
                slots[index] = old
        return slots

    def undo_stores(self, count: int) -> None:
        """Take back all stores but the first `count`."""
        if len(self.stores) > count:
            self.slots = self.slots_before(count)
            del self.stores[count:]

    # kinds, arguments and nodes -----------------------------------------------------------------

    def assume(self, value: Value) -> Kind:
        """The kind of `value`; the region guards it if the value comes from outside."""
        if type(value) is Outside:
            self.region.assume(value, value.source, value.expected)
            return value.expected
        return value.kind

    def origin(self, temporaries: tuple[int, ...] = ()) -> Origin:
        return Origin(self.code.co_filename, self.lineno, temporaries)

    def items_of(self, value: Value) -> list[Value] | None:
        """The items of a tuple, list or constant range if the trace knows its length, else None."""
        if isinstance(value, (TupleValue, ListValue)):
            return list(value.items)
        if isinstance(value, Constant) and type(value.value) in (tuple, range):
            return [Constant(item) for item in value.value]
        if isinstance(value, Outside) and isinstance(value.kind, kinds.SequenceKind):
            self.assume(value)
            return [
                Outside(Item(value.source, index), kind)
                for index, kind in enumerate(value.kind.items)
            ]
        return None

    def pairs_of(self, value: Value) -> dict[Any, Value] | None:
        """The items of a dict if the trace knows its keys, else None."""
        if isinstance(value, DictValue):
            return dict(value.items)
        if isinstance(value, Outside) and isinstance(value.kind, kinds.DictKind):
            self.assume(value)
            return {key: Outside(Item(value.source, key), kind) for key, kind in value.kind.items}
        return None

    def argument(self, value: Value) -> Any:
        """`value` as an argument of a node: a node, a constant, or a container of such."""
        rule = _ARGUMENTS.get(type(value))
        if rule is None:
            raise refusal_of(value.kind)
        return rule(self, value)

    def outside_argument(self, value: Outside) -> Any:
        """An object from outside as an argument: an input, a constant, or a container of such."""
        kind = self.assume(value)
        if isinstance(kind, kinds.KnownKind):
            return self._constant(kind.value)
        if isinstance(kind, kinds.SequenceKind) and kind.type in (tuple, list):
            items = self.items_of(value) or []
            return kind.type(self.argument(item) for item in items)
        if isinstance(kind, _PASSED_WHOLE):
            return self.region.input(value.source, kind)
        raise refusal_of(kind)

    def _constant(self, value: Any) -> Any:
        """`value`, if the graph may refer to it strongly (`graph.identity.lasts`); else a break."""
        if not lasts(value):
            raise Break(UNSUPPORTED_OPERANDS, type(value).__name__)
        return value

    def compute(
        self, record: Record, args: list[Value], kwargs: dict[str, Value] | None = None
    ) -> Value:
        """Absorb one operation: infer its result's kind, add a node, and check what it writes.

        Returns the result: the node's, a constant, or the argument that the operation writes.
        """
        named = kwargs or {}
        for value in (*args, *named.values()):
            if type(value.kind) is Kind:
                raise Break(UNKNOWN_VALUE)
        call = NumpyCall(
            tuple([TracedOperand(self, value) for value in args]),
            {name: TracedOperand(self, value) for name, value in named.items()},
        )
        try:
            kind = record.infer(call)
        except Refused as refusal:
            raise Break(refusal.reason, refusal.detail or record.op.name) from None
        node = self.region.add(
            record.op,
            tuple(map(self.argument, args)),
            tuple([(name, self.argument(value)) for name, value in named.items()]),
            kind,
            self.origin(_temporaries(args)),
        )
        target = self._written(record, args, named, node) if record.op.writes else None
        if target is not None:
            return target
        return Constant(kind.value) if isinstance(kind, kinds.KnownKind) else Computed(node)

    def _written(
        self, record: Record, args: list[Value], kwargs: dict[str, Value], node: Node
    ) -> Value | None:
        """Check that `node` may write its arguments; return the one that is its result, if any.

        A node may write fresh memory. A write to any other memory makes it the region's effect.
        """
        result: Value | None = None
        for argument in record.op.writes:
            for target in self._targets(argument, args, kwargs):
                if isinstance(target.kind, _NEVER_WRITTEN):
                    raise Break(UNSUPPORTED_OPERANDS)  # NumPy raises the error
                if not (isinstance(target, Computed) and is_fresh(target.node)):
                    self._effect(record, node)
                result = target
        if isinstance(node.kind, (kinds.KnownKind, kinds.SequenceKind)):
            return None
        is_target = record.op.style == "inplace" or "out" in kwargs
        return result if is_target or node is self.region.graph.effect else None

    def _targets(
        self, argument: int | str, args: list[Value], kwargs: dict[str, Value]
    ) -> list[Value]:
        value = kwargs.get(argument) if isinstance(argument, str) else None
        if isinstance(argument, int) and argument < len(args):
            value = args[argument]
        if value is None or isinstance(value.kind, kinds.KnownKind):
            return []
        items = self.items_of(value)
        return [value] if items is None else items

    def _effect(self, record: Record, node: Node) -> None:
        """Make `node` the region's effect; Break if it has one, or the callee is inlined."""
        if self.depth or self.region.graph.effect is not None:
            raise Break(SECOND_EFFECT, record.op.name)
        self.region.set_effect(node)


def without_value(value: Value) -> Value:
    """`value` with a kind that says its type but not which number or string it is."""
    if isinstance(value, Outside) and isinstance(value.expected, kinds.StringKind):
        return Outside(value.source, kinds.StringKind(None))
    if isinstance(value, Outside) and isinstance(value.expected, kinds.PythonScalarKind):
        return Outside(value.source, kinds.PythonScalarKind(value.expected.type))
    return value


# For each type of value, how it becomes an argument of a node.
_ARGUMENTS: Mapping[type[Value], Callable[[Frame, Any], Any]] = MappingProxyType(
    {
        Computed: lambda frame, value: value.node,
        Outside: Frame.outside_argument,
        **dict.fromkeys((Constant, Folded), lambda frame, value: value.value),
        SliceValue: lambda frame, value: slice(
            *map(frame.argument, (value.start, value.stop, value.step))
        ),
        TupleValue: lambda frame, value: tuple(map(frame.argument, value.items)),
        ListValue: lambda frame, value: list(map(frame.argument, value.items)),
        DictValue: lambda frame, value: {
            key: frame.argument(item) for key, item in value.items.items()
        },
    }
)
_NEVER_WRITTEN = (kinds.KnownKind, kinds.PythonScalarKind, kinds.StringKind, kinds.SliceKind)
_PASSED_WHOLE = (
    kinds.ArrayKind,
    kinds.NumpyScalarKind,
    kinds.PythonScalarKind,
    kinds.StringKind,
    kinds.SequenceKind,
    kinds.NumbersKind,
)


def _temporaries(args: list[Value]) -> tuple[int, ...]:
    return tuple([index for index, value in enumerate(args) if is_temporary(value)])


def is_temporary(value: Value) -> bool:
    """Whether only the evaluation stack refers to `value`."""
    if type(value) is Computed:
        return value.temporary
    if type(value) is not Outside or type(value.source) is not StackItem:
        return False
    return isinstance(value.kind, kinds.ArrayKind)


def is_null(value: Value) -> bool:
    return isinstance(value, Null)
