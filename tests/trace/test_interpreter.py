"""One path: where it ends, what it absorbs whole, and the store that belongs to an effect."""

from __future__ import annotations

import numpy as np
import pytest

from dyntrace.asm.flow import MICRO_OPS
from dyntrace.breaks import OPAQUE_CALL, REGION_FULL
from dyntrace.trace import stepping
from dyntrace.trace.frame import Break, Flush
from dyntrace.trace.interpreter import lowest_slot
from dyntrace.trace.regions import builder as region_module
from dyntrace.trace.stepping import HANDLERS, opcode
from tests.differential import check
from tests.trace.tracing import line_of_end, operations, steps, trace

A = np.arange(1.0, 7.0)


def test_every_micro_op_has_one_handler():
    assert set(HANDLERS) == MICRO_OPS
    with pytest.raises(ValueError, match="two handlers"):
        opcode("BINARY")(lambda frame, arg: None)


def test_a_path_ends_before_the_return():
    def program(a):
        b = a * 2
        return b + 1

    found = trace(program, A)
    assert operations(found.region) == ["operator.mul", "operator.add"]
    assert type(found.stop) is Flush
    assert found.frame.body.units[found.end].micro[-1].name == "RETURN_VALUE"


def test_a_path_ends_before_a_loop_and_at_its_head():
    def program(a):
        b = a * 2
        for n in range(3):
            b = b + n
        return b

    found = trace(program, A)
    assert operations(found.region) == ["operator.mul"]
    assert type(found.stop) is Flush and line_of_end(found) == 2


def test_branches_that_kinds_decide_are_followed():
    def program(a, flag=None, mode="x"):
        if flag is not None:
            return a
        if isinstance(a, np.ndarray) and a.ndim == 1 and not mode == "y":
            a = a * 2
        else:
            a = a - 1
        return a + 1

    assert operations(trace(program, A, None, "x").region) == ["operator.mul", "operator.add"]


def test_an_instruction_is_absorbed_whole_or_not_at_all():
    def program(a, b):
        c = a * 2
        return print(np.sin(c), np.cos(c) + b.missing)

    found = trace(program, A, A)
    assert operations(found.region) == ["operator.mul", "numpy.sin", "numpy.cos"]
    before = found.frame.body.units[found.end]
    assert before.location.line == program.__code__.co_firstlineno + 2
    assert len(found.frame.stack) == found.frame.stack.index(found.frame.stack[-1]) + 1


def test_a_break_takes_back_the_guards_of_its_own_instruction_only():
    def program(a, thing):
        b = a * 2
        print(thing)
        return b

    found = trace(program, A, A)
    assert found.stop.reason is OPAQUE_CALL
    sources = [name for name, guard in steps(found.region) if guard == "array"]
    assert sources == ["Local"]


def test_an_exception_in_a_trace_keeps_no_frames_alive():
    def program(a):
        b = a * 2
        print(b)
        return b

    stop = trace(program, A).stop
    assert isinstance(stop, Break)
    assert stop.__traceback__ is None and stop.__context__ is None


def test_a_region_that_is_full_ends_before_the_current_instruction(monkeypatch):
    def program(a):
        a = a + 1
        a = a + 2
        a = a + 3
        return a

    monkeypatch.setattr(region_module, "MAX_NODES", 2)
    found = trace(program, A)
    assert found.stop.reason is REGION_FULL
    assert line_of_end(found) == 3
    check(program, A, captured=3)


def test_a_callee_that_never_ends_is_given_up(monkeypatch):
    def endless(a):
        n = 0
        while n >= 0:
            n = n + 1
        return a

    def program(a, function):
        b = a * 2
        return b, function

    monkeypatch.setattr(stepping, "MAX_INLINED_UNITS", 50)
    space = {"endless": endless}
    exec("def program(a):\n    b = a * 2\n    return endless(b)", space)
    found = trace(space["program"], A)
    assert isinstance(found.stop, Break) and "endless" in found.stop.detail


@pytest.mark.parametrize(
    ("statement", "stored"),
    [
        ("a += 1", "STORE_FAST"),
        ("a[1:3] *= 2", "STORE"),
        ("a[0] -= 1", "STORE"),
        ("a[b > 2] += 1", "STORE"),
        ("np.multiply(a, 2, out=a)", "POP_TOP"),
        ("a[:] = b", "STORE"),
    ],
)
def test_an_effect_takes_its_own_store_with_it(statement, stored):
    space = {"np": np}
    exec(f"def program(a, b):\n    {statement}\n    return a", space)
    found = trace(space["program"], A.copy(), A)
    assert found.region.graph.effect is not None
    last = found.frame.body.units[found.visits[-1].unit]
    assert any(stored in micro.name for micro in last.micro)
    check(space["program"], A, A + 1)


def test_an_effect_whose_result_goes_elsewhere_ends_before_the_store():
    def program(a, b):
        c = np.add(a, b, out=a)
        return c

    found = trace(program, A.copy(), A)
    assert found.region.graph.effect is not None
    check(program, A, A + 1)


def test_a_fresh_array_is_written_without_an_effect():
    def program(a):
        b = np.zeros(6)
        b[1:3] = a[1:3]
        b += a
        np.add(b, 1, out=b)
        return b

    found = trace(program, A)
    assert found.region.graph.effect is None
    assert type(found.stop) is Flush
    check(program, A, captured=5, breaks=())


def test_how_deep_an_instruction_reaches():
    def program(a, b, c):
        return a + (b * c)

    units = trace(program, A, A, A).frame.body.units
    binary = next(unit for unit in units if unit.micro and unit.micro[-1].name == "BINARY")
    assert lowest_slot(binary, 3) == 1
