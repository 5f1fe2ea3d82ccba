"""Descriptions with one field wrong: an exception, or a program that stays within its arrays.

Invariant: whatever a description says, a Program made from it raises, declines or gives a result;
only the loops in NumPy's capsules are taken on trust.
"""

import warnings
from functools import partial

import numpy as np
import pytest

from dyntrace import config
from dyntrace.errors import DyntraceWarning, InternalError
from dyntrace.exec.backends import machine
from dyntrace.exec.lower import choice, inner_loops
from dyntrace.exec.lower.description import (
    ConstantTemplate,
    Described,
    ElementwiseInstruction,
    EllipsisItem,
    IntItem,
    LoweredNode,
    LoweredProgram,
    PermuteInstruction,
    PythonCall,
    Register,
    RegisterTemplate,
    ReshapeInstruction,
    SegmentStep,
    SliceItem,
    ViewInstruction,
)
from dyntrace.graph.node import Graph
from dyntrace.record import replace
from tests.machine.capturing import capture, function

if not config.native:
    pytest.skip("there is no machine", allow_module_level=True)

from dyntrace._native import Program

X = np.arange(12.0).reshape(3, 4)
SAMPLES = {
    "elementwise": ("return np.sqrt(x * 2.0 + y)", X, X + 1),
    "views": ("return x.T[1:, ::2], y[None, ..., 1:3]", X, X),
    "moved": ("return (x[k] + 1.0) * y[n:]", X, X, 1, 2),
    "reshaped": ("return x.reshape(2, 6) + y.reshape(-1, 6)", X, X),
    "transposed": ("return np.transpose(x, (1, 0)) + y.T", X, X),
    "reductions": ("return (x * y).sum(axis=0), x.mean(axis=1), x.std(), y.argmax(axis=1)", X, X),
    "selected": ("return np.where(x > 3.0, x, y)", X, X),
    "cast": ("return x.astype('f') + y.sum()", X, X),
    "written": ("x[1:] = y[1:] * 2.0", X, X),
    "added": ("np.add(x, y, out=x)", X, X),
    "kept": ("t = x * 2.0\nx[0] = y[1] + 1.0\nreturn t", X, X),
    "called": ("t = x @ y.T\nreturn [t, {'k': (t + 1.0, 2)}], np.sort(x, axis=1)", X, X),
    "submitted": ("a = np.sort(x, axis=1)\nb = np.sort(y, axis=1)\nreturn a + b", X, X),
}  # fmt: skip
WRONG = (-1, 0, 1, 3, 7, 99, 40000, 2**31, 2**70, -(2**63), None, True, 1.5, "where", (), (0,),
         (5,), ((0, 0),), b"", [], np.dtype("O"), np.dtype("?"), np.dtype("G"))  # fmt: skip


def lowered(name):
    body, *samples = SAMPLES[name]
    samples = copied(samples)
    captured = capture(function(body, ", ".join("xykn"[: len(samples)])), *samples)
    spec = choice.lowered(captured.graph)
    assert spec is not None
    return spec, [samples[place] for place in captured.order]


def copied(values):
    return [value.copy() if isinstance(value, np.ndarray) else value for value in values]


def changed(spec, wrong):
    """Each description that has one field of this one, or one item more or less, wrong."""
    if not isinstance(spec, tuple):
        return
    for place, item in enumerate(spec):
        before, after = spec[:place], spec[place + 1 :]
        for other in wrong:
            if other is not item:
                yield (*before, other, *after)
        yield (*before, *after)
        yield (*before, item, item, *after)
        for other in changed(item, wrong):
            yield (*before, other, *after)


def run(spec, values):
    program = Program(lambda: spec, lambda *values: None)
    try:
        for _ in range(2):
            program(*copied(values))
    except Exception as error:
        return error
    return None


@pytest.mark.parametrize("name", SAMPLES)
def test_one_field_wrong_never_crashes(name):
    spec, values = lowered(name)
    assert run(spec, values) is None
    raised = 0
    with np.errstate(all="ignore"):
        for other in changed(spec, WRONG):
            raised += run(other, values) is not None
    assert raised > 100


def with_instructions(*instructions, inputs=(0,), exports=(1,), dtype="d", ndim=1, outputs=1):
    """The description of one segment over an array in register 0, with results in 1 and 2."""
    vector = Register(np.dtype("d"), 1)
    registers = (vector, Register(np.dtype(dtype), ndim), vector)
    nodes = tuple(node_of(instruction) for instruction in instructions)
    segment = SegmentStep(inputs, exports, (), False, None, nodes)
    return LoweredProgram(1, registers, (), (segment,), ((),), RegisterTemplate(outputs))


def node_of(instruction):
    """A node of one instruction, which NumPy could run as well."""
    call = PythonCall(instruction.outputs[0], ran_by_numpy, (INPUT,), None, None)
    return LoweredNode(call, (instruction,))


def ran_by_numpy(x):
    return x.size


INPUT = RegisterTemplate(0)
WHOLE = ViewInstruction((0,), (1,), (SliceItem(None, None, None),))


def view(*items):
    return replace(WHOLE, items=items)


REFUSED = {
    "export of nothing": with_instructions(WHOLE, exports=(2,)),
    "read before made": with_instructions(replace(WHOLE, inputs=(2,))),
    "read outside": with_instructions(WHOLE, inputs=()),
    "written twice": with_instructions(WHOLE, WHOLE),
    "view of another dtype": with_instructions(WHOLE, dtype="f"),
    "too many dimensions": with_instructions(WHOLE, ndim=25),
    "register beyond 16 bits": with_instructions(replace(WHOLE, outputs=(1 << 16,))),
    "two ellipses": with_instructions(view(EllipsisItem(), EllipsisItem())),
    "index without a value": with_instructions(view(IntItem(RegisterTemplate(2)))),
    "index that is no register": with_instructions(view(IntItem(ConstantTemplate(2)))),
    "index of nothing": with_instructions(view(IntItem(None))),
    "axis that is not there": with_instructions(PermuteInstruction((0,), (1,), (IntItem(1),))),
    "nine lengths": with_instructions(ReshapeInstruction((0,), (1,), (IntItem(1),) * 9)),
    "output of nothing": with_instructions(WHOLE, outputs=2),
}


@pytest.mark.parametrize("name", REFUSED)
def test_wrong_description_is_refused(name):
    assert isinstance(run(REFUSED[name], [np.arange(3.0)]), (ValueError, OverflowError))


def records_in(value):
    """Each record in a description, with a function that puts another one in its place."""
    if isinstance(value, Described):
        yield value, lambda other: other
    if isinstance(value, tuple):
        for place, item in enumerate(value):
            before, after = value[:place], value[place + 1 :]
            for record, put in records_in(item):
                yield record, lambda new, put=put, b=before, a=after: (*b, put(new), *a)


@pytest.mark.parametrize("name", SAMPLES)
def test_a_record_without_its_last_field_is_refused_by_name(name):
    spec, values = lowered(name)
    for record, put in records_in(spec):
        if len(record) > 1:
            error = run(put(tuple(record)[:-1]), values)
            assert type(error) is ValueError, record
            fields = len(record)
            assert f" has {fields} fields, not {fields - 1}" in str(error), record


def test_scalar_that_is_an_array_is_left_to_the_node():
    spec = with_instructions(WHOLE, ndim=-1)
    program = Program(lambda: spec, lambda x: "twin")
    assert program(np.arange(3.0)) == 3
    assert (program.nodes_run, program.twin_runs) == (1, 0)


def test_inputs_of_other_kinds_are_left_to_the_twin():
    spec = with_instructions(WHOLE)
    program = Program(lambda: spec, lambda x: "twin")
    assert program(np.arange(3)) == program(3.0) == "twin"
    assert program.twin_runs == 2


def chain(length, dtypes, exported):
    """The description of `length` additions of register 0, each result used by the next."""
    add = inner_loops.elementwise(np.add, (np.dtype("d"), np.dtype("d"), None), "unsafe")
    neither = (False, False)
    made = (Register(np.dtype(dtypes[i % 2]), 1) for i in range(length))
    registers = (Register(np.dtype("d"), 1), *made)
    exports = tuple(range(1, length + 1)) if exported else (length,)
    nodes = []
    for i in range(length):
        call = PythonCall(i + 1, np.add, (RegisterTemplate(i), INPUT), None, None)
        instruction = ElementwiseInstruction(
            (i, 0), (i + 1,), add, neither, neither, inplace=False, copies=False
        )
        nodes.append(LoweredNode(call, (instruction,)))
    segment = SegmentStep((0,), exports, (), False, None, tuple(nodes))
    return LoweredProgram(1, registers, (), (segment,), ((),), RegisterTemplate(length))


@pytest.mark.parametrize("length", [500, 5000, 30000])
def test_thousands_of_casts_between_instructions(length):
    program = Program(lambda: chain(length, "df", False), lambda x: "twin")
    assert program(np.full(3, 0.5)).tolist() == [0.5 * (length + 1)] * 3


@pytest.mark.parametrize(("length", "runs"), [(3000, True), (20000, False)])
def test_more_results_than_a_plan_has_numbers_for(length, runs):
    program = Program(lambda: chain(length, "dd", True), lambda x: "twin")
    for _ in range(3):
        found = program(np.ones(2))
        assert found.tolist() == [length + 1.0] * 2 if runs else found is None


def test_more_registers_than_there_are_numbers():
    assert isinstance(run(chain(40000, "dd", False), [np.ones(2)]), ValueError)


# What is not lowered ------------------------------------------------------------------------------
def failing():
    raise ValueError("no description")


@pytest.mark.parametrize("describe", [failing, lambda: "nothing", lambda: (1, 2, 3)])
def test_twin_runs_from_then_on_and_the_error_is_reported_once(describe, lenient):
    program = Program(describe, lambda x: x + 1, partial(machine.report, Graph()))
    with pytest.warns(DyntraceWarning, match="Please report"):
        assert program(1) == 2
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert program(1) == 2
    assert program.spec is None
    assert program.twin_runs == 2


def test_warning_that_is_an_error_does_not_reach_the_program(lenient, capsys):
    program = Program(failing, lambda x: x + 1, partial(machine.report, Graph()))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert program(1) == 2
    assert "no description" in capsys.readouterr().err


def test_strict_mode_raises(strict):
    program = Program(failing, lambda x: x + 1, partial(machine.report, Graph()))
    with pytest.raises(InternalError, match="no description"):
        program(1)


def test_signal_while_describing_passes_through(lenient):
    def interrupted():
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        Program(interrupted, lambda x: x + 1, partial(machine.report, Graph()))(1)
