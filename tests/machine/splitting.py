"""Programs made to run some of their nodes by NumPy: what a layout without a plan does, at will.

A count of elements that is never positive is put before a node's first instruction, so that the
planner gives up at this node, whatever the layout. Invariant: nothing else of the program changes;
every call of Python is counted, and made at most once in a run.
"""

from __future__ import annotations

import dyntrace
from dyntrace.exec.backends import generated, machine

COUNT, NEVER = 4, 1 << 40
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
    count, registers, constants, steps, drops, outputs = spec
    registers = list(registers)
    changed = []
    for step in steps:
        if step[0] == "segment":
            changed.append(_split_segment(step, registers, every, ran, look))
        elif step[0] == "call":
            name, reg, target, *rest = step
            changed.append((name, reg, ran.counted(target, reg, look), *rest))
        else:
            changed.append(step)
    return (count, tuple(registers), constants, tuple(changed), drops, outputs)


def _split_segment(step, registers, every, ran, look):
    name, inputs, exports, keys, instructions, overflows, target, nodes = step
    found, before = [], None
    for instruction in instructions:
        _, ins, _, _, node = instruction
        if node != before and node % every == 0:
            arrays = [reg for reg in ins if registers[reg][0] is not None]
            arrays = [reg for reg in arrays if registers[reg][1] >= 0]
            if arrays:
                registers.append((None, -1))
                denied = (COUNT, arrays[:1], (len(registers) - 1,), (0, NEVER), node)
                found.append((denied[0], tuple(denied[1]), *denied[2:]))
        before = node
        found.append(instruction)
    nodes = tuple((reg, ran.counted(call, reg, look), *rest) for reg, call, *rest in nodes)
    return (name, inputs, exports, keys, tuple(found), overflows, target, nodes)


def split_program(graph, every, look=None):
    """A program of the graph that is split, and the calls of its last run."""
    ran = Ran()
    spec = machine.lowered(graph)
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
