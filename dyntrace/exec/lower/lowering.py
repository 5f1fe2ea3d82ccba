"""Lowering: from a graph to the description of a program for the virtual machine.

A program is a list of steps over *registers*: first the inputs, then the constants, then one for
each value. A *segment* collects instructions. A node without instructions becomes a Python call
between segments. Each instruction belongs to a *node*, and if the instructions of a node cannot be
planned, the machine makes the node's call. `exec.lower.description` has the records of all this.

Invariant: a register is written once, before it is read. Read `exec.lower.choice` next for the
rules, and `_native/vm/program/program.h` for the program that C parses.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from dyntrace.exec.lower import lifetimes, templates
from dyntrace.exec.lower.description import (
    CallStep,
    LoweredNode,
    LoweredProgram,
    MachineInstruction,
    PermuteInstruction,
    ProgramStep,
    PythonCall,
    Register,
    RegisterTemplate,
    ReshapeInstruction,
    SegmentStep,
    Template,
    TupleTemplate,
    ViewInstruction,
)
from dyntrace.exec.lower.instruction_table import LIMITS
from dyntrace.graph.kinds import ArrayKind, Kind, NumpyScalarKind
from dyntrace.graph.node import Graph, Node
from dyntrace.graph.ownership import operands
from dyntrace.record import field, record

MAX_NDIM, MAX_REGISTERS = LIMITS["MAX_NDIM"], LIMITS["MAX_REGISTERS"]

PYTHON_NUMBERS = (int, float, complex, bool)
Outputs = RegisterTemplate | TupleTemplate | None
_VIEWS = (ViewInstruction, PermuteInstruction, ReshapeInstruction)


class NotLowered(Exception):
    """The graph exceeds a limit of programs; its Python twin runs it."""


@record(eq=False)
class NodeCall:
    """The call of a node that is being lowered, and its instructions in the open segment.

    The rule that lowers the node declares the register of its result, `reg`.
    """

    target: Any
    arguments: tuple[Template, ...]
    keywords: tuple[str, ...] | None
    kind: Any
    reads: list[int]
    instructions: list[MachineInstruction]
    reg: int = -1

    def described(self) -> LoweredNode:
        """Its description; called when it is complete."""
        call = PythonCall(self.reg, self.target, self.arguments, self.keywords, self.kind)
        return LoweredNode(call, tuple(self.instructions))


@record()
class Segment:
    """A segment that is being collected: its nodes, in order."""

    nodes: list[NodeCall] = field(default_factory=list)
    made: set[int] = field(default_factory=set)
    exports: list[int] = field(default_factory=list)
    overflows: bool = False
    target: int | None = None

    def instructions(self) -> list[MachineInstruction]:
        """The instructions of all nodes, in order."""
        return [instruction for node in self.nodes for instruction in node.instructions]

    def described(self) -> SegmentStep:
        """Its description; called when all steps are known, since later steps add exports."""
        instructions = self.instructions()
        read: dict[int, None] = {}
        for instruction in instructions:
            read.update(dict.fromkeys(instruction.inputs))
        return SegmentStep(
            tuple([reg for reg in read if reg not in self.made]),
            tuple(self.exports),
            lifetimes.keys(instructions),
            self.overflows,
            self.target,
            tuple([node.described() for node in self.nodes]),
        )


class Lowering:
    """One lowering: the registers and steps so far."""

    def __init__(self, graph: Graph) -> None:
        self.graph = graph
        self.registers: list[Register] = []
        self.constants: list[Any] = []
        self.steps: list[ProgramStep | Segment] = []
        self.segment = Segment()
        self.node: NodeCall | None = None
        self.register_of: dict[Node, int] = {}
        self.constant_of: dict[Any, int] = {}
        self.segment_of: dict[int, Segment] = {}
        self.inputs = frozenset(graph.inputs)
        self.has_wide = False  # an array has more dimensions than instructions take
        self.root_of: dict[int, int] = {}  # of views: the register whose memory they share
        for node in graph.inputs:
            self.register_of[node] = self._declared(node.kind)
        self._collect_constants()

    # registers --------------------------------------------------------------------------------

    def _declared(self, kind: Kind) -> int:
        """A new register for a value of this kind."""
        if isinstance(kind, ArrayKind):
            self.has_wide |= kind.ndim > MAX_NDIM
            return self.new(kind.dtype, kind.ndim)
        return self.new(kind.dtype if isinstance(kind, NumpyScalarKind) else None, -1)

    def new(self, dtype: np.dtype[Any] | None, ndim: int) -> int:
        """A new register: an array, a NumPy scalar (`ndim` -1), or any object (no dtype)."""
        if len(self.registers) >= MAX_REGISTERS:
            raise NotLowered("too many registers")
        self.registers.append(Register(dtype, ndim))
        return len(self.registers) - 1

    def _collect_constants(self) -> None:
        """Give the numbers written in the user's code the registers after the inputs."""
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
        """A new register for a node's result."""
        self.register_of[node] = reg = self._declared(node.kind)
        return reg

    def is_within_limits(self, node: Node) -> bool:
        """Whether no operand and no result has more dimensions than instructions allow."""
        if _is_wide(node):
            return False
        return not (self.has_wide and any(map(_is_wide, operands(node))))

    def operand(self, value: Any) -> int | None:
        """The register of an operand: a node's, or a number's; None for anything else."""
        if isinstance(value, Node):
            return self.register_of[value]
        return self.constant_of.get(_constant_key(value)) if type(value) in PYTHON_NUMBERS else None

    def replace(self, node: Node, reg: int) -> None:
        """Move `node`, and all nodes that share its register, to another register."""
        old = self.register_of[node]
        for other, register in self.register_of.items():
            if register == old:
                self.register_of[other] = reg

    def dtype(self, reg: int) -> np.dtype[Any] | None:
        """The dtype of a register's elements."""
        return self.registers[reg].dtype

    # segments ---------------------------------------------------------------------------------

    def emit(self, instruction: MachineInstruction) -> None:
        """Append an instruction of the current node to the open segment."""
        node, segment = self.node, self.segment
        assert node is not None
        for reg in (*instruction.inputs, *node.reads):
            maker = self.segment_of.get(reg)
            if maker is not None and maker is not segment and reg not in maker.exports:
                maker.exports.append(reg)
        if not node.instructions:
            segment.nodes.append(node)
        assert segment.nodes[-1] is node
        node.instructions.append(instruction)
        for reg in instruction.outputs:
            segment.made.add(reg)
            self.segment_of[reg] = segment

    def emit_view(self, instruction: MachineInstruction) -> None:
        """Append an instruction whose first output is a view of its input, or of a copy of it."""
        (array,) = instruction.inputs
        self.root_of[instruction.outputs[0]] = self.root_of.get(array, array)
        self.emit(instruction)

    def as_object(self, reg: int) -> None:
        """Export a register's value as a Python object; closes the segment that computes it."""
        maker = self.segment_of.get(reg)
        if maker is None:
            return
        if reg not in maker.exports:
            maker.exports.append(reg)
        if maker is self.segment:
            self.close()

    def close(self) -> None:
        """End the open segment; its exports may still grow."""
        if not self.segment.nodes:
            return
        views = self._views_apart()
        if views.nodes:
            self.steps.append(views)
        if self.segment.nodes:
            self.steps.append(self.segment)
        self.segment = Segment()

    def _views_apart(self) -> Segment:
        """Move views that the open segment does not read to a segment that needs no plan."""
        segment, views = self.segment, Segment()
        used = {reg for instruction in segment.instructions() for reg in instruction.inputs}
        apart = [node for node in segment.nodes if _is_apart(node, used, segment.made)]
        if len(apart) < len(segment.nodes):
            for node in apart:
                segment.nodes.remove(node)
                self._move(node, segment, views)
        return views

    def _move(self, node: NodeCall, segment: Segment, to: Segment) -> None:
        to.nodes.append(node)
        for reg in node.instructions[0].outputs:
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
        """Begin a node: the instructions emitted from now on compute what this call computes."""
        built, keywords = self._arguments(args, kwargs)
        self.node = NodeCall(target, built, keywords, kind, templates.reads(built), [])
        return self.node

    def _arguments(
        self, args: tuple[Any, ...], kwargs: tuple[tuple[str, Any], ...]
    ) -> tuple[tuple[Template, ...], tuple[str, ...] | None]:
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
    ) -> None:
        """Emit a Python call; it runs before the open segment if that computes no operand.

        `ordered`: the call runs after the open segment, since it writes memory, or makes an array
        that would live longer if it were made earlier.
        """
        if ordered:
            self.close()
        self.steps.append(CallStep(self.python_call(reg, target, args, kwargs, kind)))

    def python_call(
        self,
        reg: int,
        target: Any,
        args: tuple[Any, ...],
        kwargs: tuple[tuple[str, Any], ...],
        kind: Any = None,
    ) -> PythonCall:
        """A call whose operands are objects; closes the segment that computes one of them."""
        for operand in templates.registers(self, [*args, *(value for _, value in kwargs)]):
            self.as_object(operand)
        return PythonCall(reg, target, *self._arguments(args, kwargs), kind)

    # the end ----------------------------------------------------------------------------------

    def finished(self, outputs: Outputs) -> LoweredProgram:
        """The description of the program."""
        self.close()
        steps = tuple(
            step.described() if isinstance(step, Segment) else step for step in self.steps
        )
        first = len(self.graph.inputs) + len(self.constants)
        return LoweredProgram(
            len(self.graph.inputs),
            tuple(self.registers),
            tuple(self.constants),
            steps,
            lifetimes.drops(steps, first, outputs),
            outputs,
        )


def _is_apart(node: NodeCall, used: set[int], made: set[int]) -> bool:
    """Whether a node is a view of a value not in `made`, and its own value is not in `used`."""
    first, *others = node.instructions
    return (
        isinstance(first, _VIEWS)
        and not others
        and first.outputs[0] not in used
        and first.inputs[0] not in made
    )


def _is_wide(node: Node) -> bool:
    return isinstance(node.kind, ArrayKind) and node.kind.ndim > MAX_NDIM


def _constant_key(value: Any) -> Any:
    """A key that differs for numbers of different bits or types: 0.0 and -0.0, 1 and True."""
    return type(value), value if isinstance(value, int) else repr(value)
