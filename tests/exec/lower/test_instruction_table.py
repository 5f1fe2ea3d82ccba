"""The instruction table: C and Python read the same rows, and C holds programs to them."""

import re
from pathlib import Path

import numpy as np
import pytest

import dyntrace
from dyntrace import config
from dyntrace.exec.backends import machine
from dyntrace.exec.lower import instruction_table
from dyntrace.exec.lower.instruction_table import CODES, INSTRUCTIONS, LIMITS

TEXT = Path(instruction_table.__file__).parents[2].joinpath("_native", "vm", "instructions.def")


def test_every_row_is_read():
    rows = re.findall(r"^[A-Z]+\(\w+.*\)$", TEXT.read_text(encoding="utf-8"), re.MULTILINE)
    assert len(rows) == len(INSTRUCTIONS) + len(LIMITS) + sum(map(len, CODES.values()))
    for codes in ({name: row.code for name, row in INSTRUCTIONS.items()}, *CODES.values()):
        assert list(codes.values()) == list(range(len(codes)))


def test_rows_say_how_many_registers_there_are():
    for row in INSTRUCTIONS.values():
        assert 0 < row.inputs[0] <= row.inputs[1] <= LIMITS["MAX_ARGS"]
        assert 0 <= row.outputs[0] <= row.outputs[1] <= 2 and row.words


def program_of(function, *args):
    (graph,) = dyntrace.explain(function)(*args).graphs
    return machine.lowered(graph.graph)


def with_instruction(spec, change):
    """A description whose first instruction is what `change` makes of its code, inputs, outputs."""
    steps = list(spec[3])
    parts = list(steps[0])
    code, ins, outs, extra, node = parts[4][0]
    parts[4] = ((*change(code, ins, outs), extra, node), *parts[4][1:])
    steps[0] = tuple(parts)
    return (*spec[:3], tuple(steps), *spec[4:])


CHANGES = {
    "no inputs": lambda code, ins, outs: (code, (), outs),
    "an input too many": lambda code, ins, outs: (code, ins * 7, outs),
    "no outputs": lambda code, ins, outs: (code, ins, ()),
    "an output too many": lambda code, ins, outs: (code, ins, outs * 3),
    "a code that no row has": lambda code, ins, outs: (len(INSTRUCTIONS), ins, outs),
    "a code below all": lambda code, ins, outs: (-1, ins, outs),
}
FUNCTIONS = {
    "elementwise": lambda x: np.sqrt(x),
    "view": lambda x: np.sqrt(x[1:]),
    "reduction": lambda x: x.sum(),
}


@pytest.mark.skipif(not config.native, reason="programs are native")
@pytest.mark.parametrize("change", CHANGES)
@pytest.mark.parametrize("kind", FUNCTIONS)
def test_a_description_that_no_row_allows_is_refused(kind, change):
    from dyntrace._native import Program

    spec = program_of(FUNCTIONS[kind], np.ones(5))
    errors = []
    broken = Program(lambda: with_instruction(spec, CHANGES[change]), lambda *_: 7, errors.append)
    assert broken(np.ones(5)) == 7
    (error,) = errors
    assert type(error) is ValueError and "description is malformed" in str(error)
