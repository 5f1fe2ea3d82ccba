"""Lowering: from a graph to the description of a program for the virtual machine.

A program is a list of steps over *registers*: first the inputs, then the constants, then one for
each value. Instructions are collected in a *segment*; a node without one becomes a call of Python
between segments. An instruction belongs to a *node*, whose call runs where there is no plan.

    program  (number of inputs, registers, constants, steps, registers to drop after each, outputs)
    segment  ("segment", inputs, exports, keys, instructions, casts may overflow, target, nodes)
    call     ("call", register, callable, templates, keyword names, kind)
    node     (register, callable, templates, keyword names, kind)

Invariant: a register is written once, before it is read. Read `_native/vm/program/program.h` next.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from dyntrace.exec.lower import lifetimes, templates
from dyntrace.exec.lower.instruction_table import INSTRUCTIONS, LIMITS
from dyntrace.graph.kinds import ArrayKind, Kind, NumpyScalarKind
from dyntrace.graph.node import Graph, Node
from dyntrace.graph.ownership import operands
from dyntrace.record import field, record

ELEMENTWISE, COUNT = INSTRUCTIONS["ELEMENTWISE"].code, INSTRUCTIONS["COUNT"].code
VIEW, PERMUTE, RESHAPE = (INSTRUCTIONS[name].code for name in ("VIEW", "PERMUTE", "RESHAPE"))
REDUCE, ASSIGN = INSTRUCTIONS["REDUCE"].code, INSTRUCTIONS["ASSIGN"].code
MAX_NDIM, MAX_REGISTERS = LIMITS["MAX_NDIM"], LIMITS["MAX_REGISTERS"]

PYTHON_NUMBERS = (int, float, complex, bool)
Instruction = tuple[int, tuple[int, ...], tuple[int, ...], tuple[Any, ...], "NodeCall"]


class NotLowered(Exception):
    """The graph has something that no program can hold; its Python twin runs it."""


@record(eq=False)
class NodeCall:
    """The call of a node that has instructions, and the registers in its arguments."""

    target: Any
    arguments: tuple[Any, ...]
    names: tuple[str, ...] | None
    kind: Any
    reads: tuple[int, ...]
    reg: int = -1

    def form(self) -> tuple[Any, ...]:
        """Its description."""
        return (self.reg, self.target, self.arguments, self.names, self.kind)


@record()
class Segment:
    """A segment that is being collected."""

    instructions: list[Instruction] = field(default_factory=list)
    made: set[int] = field(default_factory=set)
    exports: list[int] = field(default_factory=list)
    overflows: bool = False
    target: int | None = None


class Lowering:
    """One lowering: the registers and steps so far."""

    def __init__(self, graph: Graph) -> None:
        self.graph = graph
        self.registers: list[tuple[Any, int]] = []
        self.constants: list[Any] = []
        self.steps: list[Any] = []
        self.segment = Segment()
        self.node: NodeCall | None = None
        self.register_of: dict[Node, int] = {}
        self.constant_of: dict[Any, int] = {}
        self.segment_of: dict[int, Segment] = {}
        self.inputs = frozenset(graph.inputs)
        self.root_of: dict[int, int] = {}  # of views: the register whose memory they look into
        for node in graph.inputs:
            self.register_of[node] = self._declared(node.kind)
        self._collect_constants()

    # registers --------------------------------------------------------------------------------

    def _declared(self, kind: Kind) -> int:
        """A new register for a value of this kind."""
        if isinstance(kind, ArrayKind):
            return self.new(kind.dtype, kind.ndim)
        return self.new(kind.dtype if isinstance(kind, NumpyScalarKind) else None, -1)

    def new(self, dtype: np.dtype[Any] | None, ndim: int) -> int:
        """A new register: an array, a NumPy scalar (`ndim` -1), or any object (no dtype)."""
        if len(self.registers) >= MAX_REGISTERS:
            raise NotLowered("too many registers")
        self.registers.append((dtype, ndim))
        return len(self.registers) - 1

    def _collect_constants(self) -> None:
        """Numbers written in the program get registers behind the inputs."""
        effect = [self.graph.effect] if self.graph.effect is not None else []
        for node in [*self.graph.nodes, *effect]:
            for value in node.args:
                if type(value) in PYTHON_NUMBERS:
                    self._add_constant(value)

    def _add_constant(self, value: Any) -> None:
        key = _constant_key(value)
        if key not in self.constant_of:
            self.constants.append(value)
            self.constant_of[key] = self.new(None, -1)

    def declare(self, node: Node) -> int:
        """The register of a node's result."""
        self.register_of[node] = reg = self._declared(node.kind)
        return reg

    def operand(self, value: Any) -> int | None:
        """The register of an operand: a node's, or a number's; None for anything else."""
        if isinstance(value, Node):
            return self.register_of[value]
        return self.constant_of.get(_constant_key(value)) if type(value) in PYTHON_NUMBERS else None

    def replace(self, node: Node, reg: int) -> None:
        """From now on `node`, and what it stood for before, has its value in another register."""
        old = self.register_of[node]
        for known, its in self.register_of.items():
            if its == old:
                self.register_of[known] = reg

    def dtype(self, reg: int) -> np.dtype[Any] | None:
        """The dtype of a register's elements."""
        found: np.dtype[Any] | None = self.registers[reg][0]
        return found

    # segments ---------------------------------------------------------------------------------

    def emit(
        self, code: int, ins: tuple[int, ...], outs: tuple[int, ...], extra: tuple[Any, ...] = ()
    ) -> None:
        """Append an instruction of the node at hand to the open segment."""
        assert self.node is not None
        for reg in (*ins, *self.node.reads):
            maker = self.segment_of.get(reg)
            if maker is not None and maker is not self.segment and reg not in maker.exports:
                maker.exports.append(reg)
        self.segment.instructions.append((code, ins, outs, extra, self.node))
        for reg in outs:
            self.segment.made.add(reg)
            self.segment_of[reg] = self.segment

    def emit_view(
        self, code: int, array: int, out: int, items: tuple[Any, ...], *copy: int
    ) -> None:
        """Append an instruction whose result looks into `array`, or into a copy if that must be."""
        self.root_of[out] = self.root_of.get(array, array)
        self.emit(code, (array,), (out, *copy), items)

    def as_object(self, reg: int) -> None:
        """Have a register's value as a Python object, closing the segment that makes it."""
        maker = self.segment_of.get(reg)
        if maker is None:
            return
        if reg not in maker.exports:
            maker.exports.append(reg)
        if maker is self.segment:
            self.close()

    def close(self) -> None:
        """End the open segment; its exports may still grow."""
        if not self.segment.instructions:
            return
        views = self._views_apart()
        if views.instructions:
            self.steps.append(views)
        if self.segment.instructions:
            self.steps.append(self.segment)
        self.segment = Segment()

    def _views_apart(self) -> Segment:
        """Take views that the open segment does not use itself: they need no plan of their own."""
        segment, views = self.segment, Segment()
        used = {reg for _, ins, _, _, _ in segment.instructions for reg in ins}
        apart = [
            instruction
            for instruction in segment.instructions
            if instruction[0] in (VIEW, PERMUTE, RESHAPE)
            and instruction[2][0] not in used
            and instruction[1][0] not in segment.made
        ]
        if len(apart) < len(segment.instructions):
            for instruction in apart:
                segment.instructions.remove(instruction)
                self._move(instruction, segment, views)
        return views

    def _move(self, instruction: Instruction, segment: Segment, to: Segment) -> None:
        to.instructions.append(instruction)
        for reg in instruction[2]:
            segment.made.discard(reg)
            to.made.add(reg)
            self.segment_of[reg] = to
            if reg in segment.exports:
                segment.exports.remove(reg)
                to.exports.append(reg)

    # calls ------------------------------------------------------------------------------------

    def begin(
        self, target: Any, args: tuple[Any, ...], kwargs: tuple[tuple[str, Any], ...], kind: Any
    ) -> NodeCall:
        """From now on, instructions belong to a node that this call stands for."""
        built, names = self._arguments(args, kwargs)
        self.node = NodeCall(target, built, names, kind, tuple(templates.reads(built)))
        return self.node

    def _arguments(
        self, args: tuple[Any, ...], kwargs: tuple[tuple[str, Any], ...]
    ) -> tuple[tuple[Any, ...], tuple[str, ...] | None]:
        """The templates of the arguments, and the names of keywords."""
        built = [templates.template(self, value) for value in args]
        if not kwargs:
            return tuple(built), None
        built += [templates.template(self, value) for _, value in kwargs]
        return tuple(built), tuple(name for name, _ in kwargs)

    def call(
        self,
        reg: int,
        target: Any,
        args: tuple[Any, ...],
        kwargs: tuple[tuple[str, Any], ...] = (),
        kind: Any = None,
        *,
        ordered: bool = False,
        how: str = "call",
    ) -> None:
        """Call Python; before the open segment, if that makes none of the operands.

        `ordered`: the call keeps its place, since it writes memory, or makes an array that would
        live longer elsewhere.
        """
        if ordered:
            self.close()
        used = templates.registers(self, [*args, *(value for _, value in kwargs)])
        for operand in used:
            self.as_object(operand)
        self.steps.append((how, reg, target, *self._arguments(args, kwargs), kind))

    # the end ----------------------------------------------------------------------------------

    def finished(self, outputs: Any) -> tuple[Any, ...]:
        """The description of the program."""
        self.close()
        steps = tuple(
            self._segment_form(step) if isinstance(step, Segment) else step for step in self.steps
        )
        first = len(self.graph.inputs) + len(self.constants)
        return (
            len(self.graph.inputs),
            tuple(self.registers),
            tuple(self.constants),
            steps,
            lifetimes.drops(steps, first, outputs),
            outputs,
        )

    def _segment_form(self, segment: Segment) -> tuple[Any, ...]:
        read: dict[int, None] = {}
        nodes: dict[NodeCall, int] = {}
        for _, ins, _, _, node in segment.instructions:
            read.update(dict.fromkeys(ins))
            nodes.setdefault(node, len(nodes))
        inputs = tuple(reg for reg in read if reg not in segment.made)
        return (
            "segment",
            inputs,
            tuple(segment.exports),
            lifetimes.keys(segment.instructions),
            tuple((*parts, nodes[node]) for *parts, node in segment.instructions),
            segment.overflows,
            segment.target,
            tuple(node.form() for node in nodes),
        )


def is_within_limits(node: Node) -> bool:
    """Whether no array that the node takes or gives has more dimensions than instructions take."""
    for value in (node, *operands(node)):
        kind = value.kind
        if isinstance(kind, ArrayKind) and kind.ndim > MAX_NDIM:
            return False
    return True


def _constant_key(value: Any) -> Any:
    """Tells numbers apart by their bits: 0.0 from -0.0, and 1 from True."""
    return type(value), value if isinstance(value, int) else repr(value)
