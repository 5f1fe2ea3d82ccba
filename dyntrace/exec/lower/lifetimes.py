"""When a program drops its values, and which of them decide shapes.

A program drops a value after the last step that reads it, as eager code does. Invariant: a register
is dropped once, after its last use. Inputs, constants and outputs are never dropped, since others
refer to them. `exec.lower.lowering` uses this module.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from dyntrace.exec.lower import templates
from dyntrace.exec.lower.description import (
    CallStep,
    CommitStep,
    IntItem,
    JoinStep,
    MachineInstruction,
    ProgramStep,
    Registers,
    RegisterTemplate,
    ReshapeInstruction,
    SegmentStep,
    SubmitStep,
    SubscriptItem,
    Template,
    ViewInstruction,
)


def drops(
    steps: tuple[ProgramStep, ...], first: int, outputs: Template | None
) -> tuple[Registers, ...]:
    """For each step, the registers from `first` on that no later step reads."""
    kept = set() if outputs is None else set(templates.reads((outputs,)))
    last: dict[int, int] = {}
    for index, step in enumerate(steps):
        last.update(dict.fromkeys(_registers_of(step), index))
    found: list[list[int]] = [[] for _ in steps]
    for reg, index in last.items():
        if reg >= first and reg not in kept:
            found[index].append(reg)
    return tuple(map(tuple, found))


def keys(instructions: Iterable[MachineInstruction]) -> Registers:
    """The int registers whose values decide shapes: bounds of slices, and lengths.

    An index decides where a view starts, but no shape.
    """
    found: dict[int, None] = {}
    for instruction in instructions:
        if isinstance(instruction, ViewInstruction):
            deciding = (item for item in instruction.items if not isinstance(item, IntItem))
            found.update(dict.fromkeys(_in_items(deciding)))
        elif isinstance(instruction, ReshapeInstruction):
            found.update(dict.fromkeys(_in_items(instruction.items)))
    return tuple(found)


def _registers_of(step: ProgramStep) -> list[int]:
    """The registers that a step reads or writes."""
    if isinstance(step, SegmentStep):
        return _registers_of_segment(step)
    if isinstance(step, JoinStep):
        return [step.reg]
    if isinstance(step, CommitStep):
        return [step.reg, step.target, step.source]
    assert isinstance(step, (CallStep, SubmitStep))
    read = [step.call.reg, *templates.reads(step.call.arguments)]
    return [*read, step.array] if isinstance(step, SubmitStep) else read


def _registers_of_segment(segment: SegmentStep) -> list[int]:
    found = [*segment.inputs, *segment.exports, *segment.keys]
    for node in segment.nodes:
        found += templates.reads(node.call.arguments)
        for instruction in node.instructions:
            found += instruction.inputs
            found += instruction.outputs
            if isinstance(instruction, (ViewInstruction, ReshapeInstruction)):
                found += _in_items(instruction.items)
    return found


def _in_items(items: Iterable[SubscriptItem]) -> Iterator[int]:
    """The registers of ints in a subscript or a shape."""
    for item in items:
        yield from (part.reg for part in item if isinstance(part, RegisterTemplate))
