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
from dyntrace.exec.lower import inner_loops
from dyntrace.graph.node import Graph
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
    spec = machine.lowered(captured.graph)
    assert spec is not None
    return spec, [samples[place] for place in captured.order]


def copied(values):
    return [value.copy() if isinstance(value, np.ndarray) else value for value in values]


def changed(spec, wrong):
    """Each description that has one field of this one, or one item more or less, wrong."""
    if type(spec) is not tuple:
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
    registers = ((np.dtype("d"), 1), (np.dtype(dtype), ndim), (np.dtype("d"), 1))
    numbered = tuple((*instruction, place) for place, instruction in enumerate(instructions))
    nodes = tuple((outs[0], ran_by_numpy, ((0, 0),), None, None) for _, _, outs, _ in instructions)
    segment = ("segment", inputs, exports, (), numbered, False, None, nodes)
    return (1, registers, (), (segment,), ((),), outputs)


def ran_by_numpy(x):
    return x.size


EVERYTHING = (1, None, None, None)
REFUSED = {
    "export of nothing": with_instructions((1, (0,), (1,), (EVERYTHING,)), exports=(2,)),
    "read before made": with_instructions((1, (2,), (1,), (EVERYTHING,))),
    "read outside": with_instructions((1, (0,), (1,), (EVERYTHING,)), inputs=()),
    "written twice": with_instructions(*[(1, (0,), (1,), (EVERYTHING,))] * 2),
    "view of another dtype": with_instructions((1, (0,), (1,), (EVERYTHING,)), dtype="f"),
    "too many dimensions": with_instructions((1, (0,), (1,), (EVERYTHING,)), ndim=25),
    "register beyond 16 bits": with_instructions((1, (0,), (1 << 16,), (EVERYTHING,))),
    "two ellipses": with_instructions((1, (0,), (1,), ((3, None, None, None),) * 2)),
    "index without a value": with_instructions((1, (0,), (1,), ((0, (2,), None, None),))),
    "index of nothing": with_instructions((1, (0,), (1,), ((0, None, None, None),))),
    "axis that is not there": with_instructions((2, (0,), (1,), ((0, 1, None, None),))),
    "nine lengths": with_instructions((3, (0,), (1,), ((0, 1, None, None),) * 9)),
    "output of nothing": with_instructions((1, (0,), (1,), (EVERYTHING,)), outputs=2),
}  # fmt: skip


@pytest.mark.parametrize("name", REFUSED)
def test_wrong_description_is_refused(name):
    assert isinstance(run(REFUSED[name], [np.arange(3.0)]), (ValueError, OverflowError))


def test_scalar_that_is_an_array_is_left_to_the_node():
    spec = with_instructions((1, (0,), (1,), (EVERYTHING,)), ndim=-1)
    program = Program(lambda: spec, lambda x: "twin")
    assert program(np.arange(3.0)) == 3
    assert (program.nodes_run, program.twin_runs) == (1, 0)


def test_inputs_of_other_kinds_are_left_to_the_twin():
    spec = with_instructions((1, (0,), (1,), (EVERYTHING,)))
    program = Program(lambda: spec, lambda x: "twin")
    assert program(np.arange(3)) == program(3.0) == "twin"
    assert program.twin_runs == 2


def chain(length, dtypes, exported):
    """The description of `length` additions of register 0, each result used by the next."""
    add = inner_loops.elementwise(np.add, (np.dtype("d"), np.dtype("d"), None), "unsafe")
    extra = (add.description, (False, False), (False, False), False, False)
    registers = ((np.dtype("d"), 1), *((np.dtype(dtypes[i % 2]), 1) for i in range(length)))
    instructions = tuple((0, (i, 0), (i + 1,), extra, i) for i in range(length))
    exports = tuple(range(1, length + 1)) if exported else (length,)
    nodes = tuple((i + 1, np.add, ((0, i), (0, 0)), None, None) for i in range(length))
    segment = ("segment", (0,), exports, (), instructions, False, None, nodes)
    return (1, registers, (), (segment,), ((),), length)


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
