"""The instruction table: C and Python read the same rows, and C holds programs to them."""

import re
from pathlib import Path

import numpy as np
import pytest

import dyntrace
from dyntrace import config
from dyntrace.exec.lower import choice, description, instruction_table
from dyntrace.exec.lower.instruction_table import CODES, FIELDS, INSTRUCTIONS, LIMITS
from dyntrace.record import replace

TEXT = Path(instruction_table.__file__).parents[2].joinpath("_native", "vm", "instructions.def")


def test_every_row_is_read():
    rows = re.findall(r"^[A-Z]+\(\w+.*\)$", TEXT.read_text(encoding="utf-8"), re.MULTILINE)
    assert len(rows) == len(LIMITS) + sum(map(len, {**CODES, **FIELDS}.values()))
    for codes in ({name: row.code for name, row in INSTRUCTIONS.items()}, *CODES.values()):
        assert list(codes.values()) == list(range(len(codes)))


def test_rows_say_how_many_registers_there_are():
    for row in INSTRUCTIONS.values():
        assert 0 < row.inputs[0] <= row.inputs[1] <= LIMITS["MAX_ARGS"]
        assert 0 <= row.outputs[0] <= row.outputs[1] <= 2 and row.words


def described():
    """The classes of records, by the group and the name of their rows."""
    classes = [
        found
        for found in vars(description).values()
        if isinstance(found, type) and hasattr(found, "__record_fields__")
    ]
    rows = {(found.group, found.row): found for found in classes}
    assert len(rows) == len(classes)
    return rows


def test_each_row_with_fields_has_its_class():
    rows = {(group, name): fields for group in FIELDS for name, fields in FIELDS[group].items()}
    classes = described()
    assert classes.keys() == rows.keys()
    for row, fields in rows.items():
        assert classes[row].__record_fields__ == classes[row].common + fields, row


def test_fields_are_read_by_name_and_changed_in_a_copy():
    for found in described().values():
        names = found.__record_fields__
        record = found(*range(len(names)))
        assert [getattr(record, name) for name in names] == list(range(len(names)))
        assert record == found(**dict(zip(names, range(len(names)), strict=True)))
        for name in names:
            changed = replace(record, **{name: "other"})
            assert type(changed) is found and getattr(changed, name) == "other"
            assert f"{name}='other'" in repr(changed)


def test_a_record_has_all_of_its_fields_and_no_other():
    for arguments, named in [((), {}), ((1, 2, 3), {}), ((1,), {"sort": 2}), ((1, 2), {"reg": 1})]:
        with pytest.raises((TypeError, KeyError)):
            description.JoinStep(*arguments, **named)


def test_a_class_with_other_fields_than_its_row_is_refused():
    with pytest.raises(TypeError, match="other fields than its row: reg, kind"):

        class Other(description.ProgramStep, row="JOIN"):
            kind: int
            reg: int


def program_of(function, *args):
    (graph,) = dyntrace.explain(function)(*args).graphs
    return choice.lowered(graph.graph)


def with_instruction(spec, change):
    """A description whose first instruction is what `change` makes of its code, inputs, outputs."""
    segment, *steps = spec.steps
    node, *nodes = segment.nodes
    instruction, *others = node.instructions
    code, ins, outs = change(instruction.code, instruction.inputs, instruction.outputs)
    changed = (code, ins, outs, *instruction[3:])
    node = replace(node, instructions=(changed, *others))
    return replace(spec, steps=(replace(segment, nodes=(node, *nodes)), *steps))


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
