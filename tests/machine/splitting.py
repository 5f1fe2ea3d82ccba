"""Programs made to run some of their nodes by NumPy: what a layout without a plan does, at will.

A count of elements that is never positive is put before a node's first instruction, so that the
planner gives up at this node, whatever the layout. Invariant: nothing else of the program changes;
every call of Python is counted, and made at most once in a run.
"""

from __future__ import annotations

import dyntrace
from dyntrace.exec.backends import generated, machine
from dyntrace.exec.lower import choice
from dyntrace.exec.lower.description import CallStep, CountInstruction, Register, SegmentStep
from dyntrace.record import replace

NEVER = 1 << 40
EVERY = (1, 2, 3)  # each node, each second one, each third one


class Ran(list):
    """The calls that were made in one run, by number."""

    def counted(self, target, number, look=None):
        def call(*args, **kwargs):
            self.append(number)
            result = target(*args, **kwargs)
            if look is not None:
                look(number, result)
            return result

        return call


def split_spec(spec, every, ran, look=None):
    """The description with each call counted, and a plan denied to each `every`-th node."""
    registers = list(spec.registers)
    changed = []
    for step in spec.steps:
        if isinstance(step, SegmentStep):
            nodes = [
                _counted(node if place % every else _denied(node, registers), ran, look)
                for place, node in enumerate(step.nodes)
            ]
            changed.append(replace(step, nodes=tuple(nodes)))
        else:
            changed.append(_counted(step, ran, look) if isinstance(step, CallStep) else step)
    return replace(spec, registers=tuple(registers), steps=tuple(changed))


def _counted(caller, ran, look):
    """A node or step whose call is counted."""
    call = caller.call
    return replace(caller, call=replace(call, target=ran.counted(call.target, call.reg, look)))


def _denied(node, registers):
    """A node that cannot be planned, if it reads an array."""
    for reg in node.instructions[0].inputs:
        if registers[reg].dtype is not None and registers[reg].ndim >= 0:
            registers.append(Register(None, -1))
            never = CountInstruction((reg,), (len(registers) - 1,), 0, NEVER)
            return replace(node, instructions=(never, *node.instructions))
    return node


def split_program(graph, every, look=None):
    """A program of the graph that is split, and the calls of its last run."""
    ran = Ran()
    spec = choice.lowered(graph)
    twin = generated.compile_graph(graph)
    if spec is None:
        return twin, ran
    return machine.Program(lambda: split_spec(spec, every, ran, look), twin), ran


def _backend(every):
    def compile_graph(graph):
        program, ran = split_program(graph, every)

        def run(*values):
            del ran[:]
            try:
                return program(*values)
            finally:
                assert len(set(ran)) == len(ran), f"a call was made twice: {ran}"

        return run

    return compile_graph


BACKENDS = tuple(f"split {every}" for every in EVERY)
for name, every in zip(BACKENDS, EVERY, strict=True):
    dyntrace.register_backend(name, _backend(every))
