"""RegionBuilder: the graph, the reads and the guards of the region being traced.

The interpreter takes a checkpoint before each instruction and rolls back to it if the instruction
cannot be absorbed. Invariant: a region guards and computes only what it absorbed. So each change
pushes its undo, except that `global_kinds` keeps what a refused instruction looked up: that path
depends on it, too. Read `runtime.steps` for the guards, `trace.frame` next.
"""

from __future__ import annotations

import weakref
from collections.abc import Callable, Mapping
from functools import partial
from types import CodeType, FunctionType, MappingProxyType
from typing import Any

from dyntrace import breaks
from dyntrace.graph import kinds
from dyntrace.graph.identity import Namespace, hold
from dyntrace.graph.kinds import Kind
from dyntrace.graph.node import INPUT, Graph, Node, Op, Origin
from dyntrace.graph.ownership import operands
from dyntrace.ops.registry import Refused
from dyntrace.record import record
from dyntrace.trace import sources
from dyntrace.trace.globals import Globals
from dyntrace.trace.sources import Source

__all__ = [
    "MAX_STEPS",
    "Guard",
    "RegionBuilder",
    "Step",
    "TooLarge",
    "Varying",
    "identity_guard",
]

MAX_NODES = 400
MAX_ARGUMENTS = 60
MAX_STEPS = 256  # the most that an entry of a region may have
KEPT_STEPS = 64  # of them reserved for values that only pass through the region, as outputs


_LIGHT = frozenset({"attribute", "python", "item", "input"})
_PLAIN = (kinds.PythonScalarKind, kinds.KnownKind, kinds.StringKind)


def is_work(node: Node) -> bool:
    """Whether a node is array work, for which a region may pay."""
    if node.op is INPUT or node.op.family in _LIGHT:
        return False
    if not isinstance(node.kind, _PLAIN):
        return True
    return any(not isinstance(operand.kind, _PLAIN) for operand in operands(node))


class TooLarge(Exception):
    """The region has reached a size limit, so it ends before the current instruction.

    The limits are higher for outputs, which are added after tracing, so a full region can end.
    """


@record(frozen=True)
class Guard:
    """What a value must be: a name in `runtime.steps.GUARDS` and its operands."""

    op: str
    first: Any = None
    second: Any = None


def identity_guard(value: Any) -> Guard:
    """The guard that a value is this object. It does not keep the object alive."""
    return Guard("is", hold(value))


NO_GUARD = Guard("none")
# Sources whose values are not guarded, since they have had many. The first item is the unit where
# the region starts, or None for all regions.
Varying = frozenset[tuple[int | None, Source]]
_STRENGTH = MappingProxyType(
    {
        "none": 0,
        "exact": 1,
        **dict.fromkeys(("sequence", "keys", "plain", "array"), 2),
        **dict.fromkeys(("value", "is"), 3),
    }
)


@record()
class Step:
    """One read and its guard."""

    source: Source
    guard: Guard


class RegionBuilder:
    """The region in the making.

    arguments     the sources whose values the stub passes, in order
    steps         the reads with their guards, each after those it depends on
    global_kinds  the globals looked up, with the kinds they had
    copy_of       weakly, the code of the callee that the region replaces by its optimised copy
    cells_stored  the region stores into a cell at its end, so that an inlined callee must not read
                  cells
    """

    def __init__(
        self,
        code: CodeType,
        varying: frozenset[Source] = frozenset(),
        globals: Globals | None = None,
    ) -> None:
        self.code = code
        self.varying = varying
        self.globals = globals or Globals()
        self.global_kinds: dict[tuple[Namespace, str], Kind | None] = {}
        self.graph = Graph()
        self.steps: list[Step] = []
        self.arguments: list[Source] = []
        self._index: dict[Source, int] = {}
        self._inputs: dict[Source, Node] = {}
        self._assumed: set[Any] = set()
        self._undo: list[Callable[[], Any]] = []
        self.copy_of: Callable[[], CodeType | None] | None = None
        self.cells_stored = False
        self._is_traced = False

    # undo -------------------------------------------------------------------------------------

    def checkpoint(self) -> int:
        return len(self._undo)

    def rollback(self, mark: int) -> None:
        while len(self._undo) > mark:
            self._undo.pop()()

    def on_rollback(self, action: Callable[[], Any]) -> None:
        """Run `action` if the current instruction is taken back."""
        self._undo.append(action)

    # reads ------------------------------------------------------------------------------------

    def read(self, source: Source) -> int:
        """The index of the step that reads `source`; it is added if there is none."""
        known = self._index.get(source)
        if known is not None:
            return known
        if isinstance(source, sources.Derived):
            self.read(source.base)
        elif isinstance(source, sources.GlobalName):
            if source.namespace is not None:
                self.read(source.namespace)
        elif isinstance(source, (sources.Local, sources.StackItem, sources.CellVariable)):
            self._argument(source)
        if len(self.steps) >= MAX_STEPS - KEPT_STEPS * (not self._is_traced):
            raise TooLarge
        self._index[source] = index = len(self.steps)
        self.steps.append(Step(source, NO_GUARD))
        self._undo.append(lambda: (self.steps.pop(), self._index.pop(source)))
        return index

    def _argument(self, source: Source) -> None:
        if source in self.arguments:
            return
        if len(self.arguments) >= self._limit(MAX_ARGUMENTS):
            raise TooLarge
        self.arguments.append(source)
        self.on_rollback(self.arguments.pop)

    def global_kind(self, namespace: dict[str, Any], name: str) -> Kind | None:
        """The kind of a global or built-in, None if there is none; a rollback keeps its record."""
        return self.globals.look_up(namespace, name, self.global_kinds)

    def guard(self, source: Source, guard: Guard) -> None:
        """Guard the value of `source`; a stronger guard replaces a weaker one.

        Refused for a guard by value if the source is in `varying`.
        """
        if guard.op == "value" and source in self.varying:
            raise Refused(breaks.VALUE_NEEDED)
        step = self.steps[self.read(source)]
        if _STRENGTH[guard.op] > _STRENGTH[step.guard.op]:
            old = step.guard
            step.guard = guard
            self.on_rollback(lambda: setattr(step, "guard", old))

    def guard_kind(self, source: Source, kind: Kind) -> None:
        """Guard that the value of `source` is of this kind; its items are not guarded."""
        self.guard(source, guard_of(kind))

    def assume(self, value: Any, source: Source, kind: Kind) -> None:
        """Guard the expected kind of `value`, which `source` reads, unless that is done already."""
        if value not in self._assumed:
            self.guard(source, guard_of(kind))
            self._assumed.add(value)
            self._undo.append(partial(self._assumed.discard, value))

    # nodes ------------------------------------------------------------------------------------

    def input(self, source: Source, kind: Kind) -> Node:
        """The graph input for `source`."""
        node = self._inputs.get(source)
        if node is None:
            self.guard_kind(source, kind)
            origin = Origin(self.code.co_filename, self.code.co_firstlineno)
            node = Node(INPUT, (len(self.graph.inputs),), (), kind, origin)
            self._inputs[source] = node
            self.graph.inputs.append(node)
            self.on_rollback(lambda: (self.graph.inputs.pop(), self._inputs.pop(source)))
        return node

    def add(
        self,
        op: Op,
        args: tuple[Any, ...],
        kwargs: tuple[tuple[str, Any], ...],
        kind: Kind,
        origin: Origin,
    ) -> Node:
        """Append an operation to the graph."""
        if len(self.graph.nodes) >= self._limit(MAX_NODES):
            raise TooLarge
        node = Node(op, args, kwargs, kind, origin)
        self.graph.nodes.append(node)
        self.on_rollback(self.graph.nodes.pop)
        return node

    def _limit(self, limit: int) -> int:
        return limit * (1 + self._is_traced)

    def end_tracing(self) -> None:
        """Raise the size limits: from now on only outputs are added."""
        self._is_traced = True

    def set_effect(self, node: Node) -> None:
        """Make `node`, the node added last, the region's effect."""
        self.graph.nodes.remove(node)
        self.graph.effect = node
        self.on_rollback(self._unset_effect)

    def _unset_effect(self) -> None:
        assert self.graph.effect is not None
        self.graph.nodes.append(self.graph.effect)
        self.graph.effect = None

    def store_cell(self) -> None:
        """Note that the region stores into a cell at its end."""
        old = self.cells_stored
        self.cells_stored = True
        self.on_rollback(lambda: setattr(self, "cells_stored", old))

    def replace_callee(self, code: CodeType) -> None:
        """Note that the region replaces a callee, whose code is `code`, by its optimised copy."""
        old = self.copy_of
        self.copy_of = weakref.ref(code)
        self.on_rollback(lambda: setattr(self, "copy_of", old))

    def replaces(self, codes: list[CodeType]) -> bool:
        """Whether the region replaces a callee with one of these code objects."""
        code = None if self.copy_of is None else self.copy_of()
        return any(code is one for one in codes)

    def does_work(self, first: int = 0) -> bool:
        """Whether there is an effect, or array work among the nodes from index `first` on."""
        return self.graph.effect is not None or any(map(is_work, self.graph.nodes[first:]))

    def drop_tracing_state(self) -> None:
        """Drop references to what only tracing needs, such as the values of the trace."""
        self._undo.clear()
        self._assumed.clear()
        self.globals, self.global_kinds = Globals(), {}

    # result -----------------------------------------------------------------------------------

    def entry_steps(self) -> tuple[tuple[Any, ...], ...]:
        """The reads and guards as the steps of `runtime.steps`."""
        return tuple(
            (*self._read_form(step.source), step.guard.op, step.guard.first, step.guard.second)
            for step in self.steps
        )

    def input_sources(self) -> list[Source]:
        """The source of each of the graph's inputs, in order."""
        position = {id(node): source for source, node in self._inputs.items()}
        return [position[id(node)] for node in self.graph.inputs]

    def entry_uses(self) -> tuple[int, ...]:
        """The index of the step that reads each of the graph's inputs, in order."""
        return tuple(self._index[source] for source in self.input_sources())

    def _read_form(self, source: Source) -> tuple[Any, ...]:
        """The first three items of the step that reads `source`."""
        match source:
            case sources.GlobalName(name=name, namespace=namespace):
                return ("global", namespace and self._index[namespace], name)
            case sources.ImpliedFunction(holder=holder):
                return ("held", None, holder)
        if not isinstance(source, sources.Derived):
            return ("argument", self.arguments.index(source), None)
        name, operand = _STEPS[type(source)]
        return (name, self._index[source.base], operand and getattr(source, operand))


# For each source that depends on another, the step's name and the field with its operand.
_STEPS: Mapping[type[Source], tuple[str, str | None]] = MappingProxyType(
    {
        sources.Attribute: ("attribute", "name"),
        sources.NoOwnAttribute: ("lacks", "name"),
        sources.ModuleAttribute: ("module", "name"),
        sources.Item: ("item", "key"),
        sources.Contents: ("cell", None),
        sources.FunctionPart: ("function", "part"),
        sources.TypeOf: ("type", None),
        sources.ClassAttribute: ("class", "name"),
    }
)
_GUARDS: Mapping[type[Kind], Callable[[Any], Guard]] = MappingProxyType(
    {
        kinds.ArrayKind: lambda kind: Guard("array", kind.dtype, kind.ndim),
        kinds.NumpyScalarKind: lambda kind: Guard("exact", kind.dtype.type),
        kinds.PythonScalarKind: lambda kind: Guard("exact", kind.type),
        kinds.StringKind: lambda kind: Guard("exact", str),
        kinds.KnownKind: lambda kind: Guard("is", kind.holder),
        kinds.SequenceKind: lambda kind: Guard("sequence", kind.holder, len(kind.items)),
        kinds.DictKind: lambda kind: Guard("keys", tuple(key for key, _ in kind.items)),
        kinds.SliceKind: lambda kind: Guard("exact", slice),
        kinds.FunctionKind: lambda kind: Guard("exact", FunctionType),
        kinds.InstanceKind: lambda kind: Guard("plain", kind.holder),
        kinds.ObjectKind: lambda kind: Guard("exact", kind.holder),
        kinds.UnseenKind: lambda kind: Guard("exact", kind.holder),
        kinds.NumbersKind: lambda kind: Guard("exact", kind.type),
    }
)


def guard_of(kind: Kind) -> Guard:
    """The guard that a value is of this kind; of items, it checks the number or the keys only."""
    rule = _GUARDS.get(type(kind))
    return NO_GUARD if rule is None else rule(kind)
