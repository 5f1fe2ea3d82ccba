"""LoopFrame: a frame while a loop is traced, and the facts of the codes that loops run.

Invariant: an iteration is undone as a whole if something goes wrong in it, so an instruction of a
loop may write memory wherever it stands, in inlined callees too. Read `trace.loops.loop_tracer`
next.
"""

from __future__ import annotations

from types import CodeType
from typing import Any

from dyntrace.breaks import LOOP_STATE, LOOP_UNBOUND
from dyntrace.graph.identity import ByIdentity
from dyntrace.graph.kinds import SequenceKind
from dyntrace.graph.node import Node
from dyntrace.ops.registry import Record
from dyntrace.record import record
from dyntrace.trace.code_facts import CodeFacts
from dyntrace.trace.frame import Break, Frame
from dyntrace.trace.loops.sites import LoopSite, loop_sites
from dyntrace.trace.regions.builder import RegionBuilder
from dyntrace.trace.values.base import Outside, Value

__all__ = ["LoopBuilder", "LoopFacts", "LoopFrame", "facts_of"]


@record(frozen=True, eq=False)
class LoopFacts:
    """Facts of a code object, its loops, and the units where paths meet."""

    facts: CodeFacts
    sites: dict[int, LoopSite]
    joins: frozenset[int]

    @classmethod
    def of(cls, facts: CodeFacts, sites: dict[int, LoopSite]) -> LoopFacts:
        return cls(facts, sites, facts.heads | facts.merges)


_callees: ByIdentity[LoopFacts] = ByIdentity()


def facts_of(code: CodeType) -> LoopFacts:
    """The facts of a callee's code, kept as long as it lives; AssemblyError if there are none."""
    found = _callees.get(code)
    if found is None:
        facts = CodeFacts.of(code.replace())
        found = _callees.set(code, LoopFacts.of(facts, loop_sites(facts)))
    return found


class LoopBuilder(RegionBuilder):
    """The reads and guards of a loop; nodes go to the block that is being traced."""

    list_use = ""  # "read": items of lists are inputs; "changed": the loop replaces items

    def use_lists(self, how: str) -> None:
        """Note a use of lists; Break if the loop has the other one."""
        if self.list_use not in ("", how):
            raise Break(LOOP_STATE, "list")
        self.list_use = how

    def start_block(self, nodes: list[Node]) -> None:
        """Have nodes added to `nodes` from now on."""
        self.graph.nodes = nodes


class LoopFrame(Frame):
    """The frame of the loop's code, or of a callee that runs inside an iteration.

    at     the unit that runs next
    facts  of the code, with its loops
    unbound  slots that may be unbound where the loop begins
    """

    at: int
    facts: LoopFacts
    unbound: frozenset[int] = frozenset()

    def load(self, index: int) -> Value:
        """The value of a slot; Break if it may be unbound."""
        if index in self.unbound and index not in self.slots:
            raise Break(LOOP_UNBOUND, self.body.local_names[index])
        return super().load(index)

    @property
    def builder(self) -> LoopBuilder:
        assert isinstance(self.region, LoopBuilder)
        return self.region

    def items_of(self, value: Value) -> list[Value] | None:
        """As elsewhere; the items of a list from outside are inputs of the loop."""
        kind = value.kind
        if isinstance(value, Outside) and isinstance(kind, SequenceKind) and kind.type is list:
            self.builder.use_lists("read")
        return super().items_of(value)

    def twin(self) -> LoopFrame:
        """Another frame of the same call, with an empty stack and no slots read."""
        made = LoopFrame(
            self.region,
            self.body,
            self.namespace,
            expected_kinds=self.expected_kinds,
            depth=self.depth,
            closure=self.closure,
            globals_source=self.globals_source,
        )
        made.at, made.facts, made.lineno = self.at, self.facts, self.lineno
        made.unbound = self.unbound
        return made

    def _effect(self, record: Record, node: Node) -> None:
        """A write is one step of the iteration, in the program's order."""

    def identity(self) -> Any:
        """What tells calls apart: the code, and where the callee's globals and closure are."""
        return id(self.body), self.closure, self.globals_source
