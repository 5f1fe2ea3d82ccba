"""Stubs that are jumped over in running code: who runs it, and what tools see of it."""

import copy
import dis
import sys
import threading
import types

import numpy as np
import pytest

from dyntrace.asm.assemble import assemble
from dyntrace.asm.decode import decode
from dyntrace.asm.emit import Call, LoadConst, PopTop, PushCallable
from dyntrace.weaving.bypasses import CLOSED, OPEN, RESTING, Bypass, Bypasses, jumping
from dyntrace.weaving.stubs import may_rest, with_bypass
from tests.runtime.conftest import NATIVE

needs_native = pytest.mark.skipif(NATIVE is None, reason="the extension is not in use")


def with_bypassed_stub(function, stub, unit):
    """A function with a bypassed stub before a unit, and the jump's offsets."""
    bypass, stub = with_bypass(stub)
    assembled = assemble(decode(function.__code__), {unit: stub})
    bypass = bypass.with_offsets(assembled.label_offsets)
    woven = types.FunctionType(assembled.code, globals(), closure=function.__closure__)
    return woven, (bypass.begin, bypass.closed)


def unit_of(function, opname, nth=0):
    units = decode(function.__code__).units
    found = [unit.index for unit in units if dis.opname[unit.opcode] == opname]
    return found[nth]


def loop(n):
    total = 0
    for i in range(n):
        total += i
    return total


def calling(function, length=0):
    return [PushCallable(function), Call(0), PopTop(), *[LoadConst(1), PopTop()] * length]


def test_long_stub_is_closed_by_one_unit_too():
    seen = []
    for length in (0, 19, 20, 200, 40_000):
        del seen[:]
        woven, jump = with_bypassed_stub(loop, calling(lambda: seen.append(1), length), 1)
        assert woven(3) == 3
        assert seen == [1]
        closed = jumping(woven.__code__, *jump)
        changed = [a != b for a, b in zip(woven.__code__.co_code, closed.co_code, strict=True)]
        assert sum(changed) <= 2
        woven.__code__ = closed
        assert woven(3) == 3
        assert seen == [1]


def test_bypass_that_is_too_wide_is_left_open():
    woven, (begin, target) = with_bypassed_stub(loop, calling(print), 1)
    assert jumping(woven.__code__, begin, target + 1000) is woven.__code__
    assert jumping(woven.__code__, target, begin) is woven.__code__


@needs_native
@pytest.mark.parametrize("length", [0, 19, 20, 300, 40_000])
def test_loop_that_runs_goes_on_without_the_stub(length):
    seen = []

    def stop():
        seen.append(1)
        if len(seen) == 5:
            assert NATIVE.patch_jump(woven.__code__, *jump)

    unit = unit_of(loop, "STORE_FAST", 1)
    woven, jump = with_bypassed_stub(loop, calling(stop, length), unit)
    assert woven(50) == loop(50)
    assert len(seen) == 5
    assert woven(50) == loop(50)
    assert len(seen) == 5


@needs_native
def test_bytecode_shows_the_jump():
    woven, jump = with_bypassed_stub(loop, calling(print), 1)
    before = woven.__code__.co_code
    for _ in range(20):
        dis.Bytecode(woven.__code__, adaptive=True).dis()
    assert NATIVE.patch_jump(woven.__code__, *jump)
    after = woven.__code__.co_code
    assert after != before
    assert after == jumping(woven.__code__, *jump).co_code
    names = [step.opname for step in dis.get_instructions(woven) if step.offset == jump[0]]
    assert names == ["JUMP_FORWARD"]
    assert NATIVE.patch_jump(woven.__code__, *jump)
    assert woven.__code__.co_code == after


@needs_native
def test_copies_of_patched_code_are_patched():
    seen = []
    woven, jump = with_bypassed_stub(loop, calling(lambda: seen.append(1)), 1)
    NATIVE.patch_jump(woven.__code__, *jump)
    for copied in (woven.__code__.replace(co_name="other"), copy.copy(woven.__code__)):
        twin = types.FunctionType(copied, {})
        assert twin(4) == 6
    assert list(woven.__code__.co_lines())
    assert list(woven.__code__.co_positions())
    assert seen == []


@needs_native
def test_code_made_before_stays_as_it_was():
    seen = []
    woven, jump = with_bypassed_stub(loop, calling(lambda: seen.append(1)), 1)
    older = types.FunctionType(woven.__code__.replace(), {})
    NATIVE.patch_jump(woven.__code__, *jump)
    woven(1)
    assert seen == []
    older(1)
    assert seen == [1]


@needs_native
def test_suspended_generator_goes_on_in_patched_code():
    seen = []

    def numbers(n):
        for i in range(n):
            yield i

    unit = unit_of(numbers, "STORE_FAST")
    woven, jump = with_bypassed_stub(numbers, calling(lambda: seen.append(1)), unit)
    running = woven(6)
    assert [next(running), next(running)] == [0, 1]
    assert NATIVE.patch_jump(woven.__code__, *jump)
    assert list(running) == [2, 3, 4, 5]
    assert list(woven(3)) == [0, 1, 2]
    assert len(seen) == 2


@needs_native
def test_threads_in_the_loop_see_the_patch():
    def nothing():
        pass

    unit = unit_of(loop, "STORE_FAST", 1)
    for _ in range(20):
        woven, jump = with_bypassed_stub(loop, calling(nothing), unit)
        results = []
        threads = [
            threading.Thread(
                target=lambda woven=woven, results=results: results.append(woven(9000))
            )
            for _ in range(4)
        ]
        for thread in threads:
            thread.start()
        assert NATIVE.patch_jump(woven.__code__, *jump)
        for thread in threads:
            thread.join()
        assert results == [loop(9000)] * 4


@needs_native
def test_patch_refuses_while_someone_watches():
    woven, jump = with_bypassed_stub(loop, calling(print), 1)
    sys.settrace(lambda *args: None)
    try:
        answer = NATIVE.patch_jump(woven.__code__, *jump)
    finally:
        sys.settrace(None)
    assert answer is False
    assert NATIVE.patch_jump(woven.__code__, *jump)


@needs_native
def test_tracers_see_the_same_lines_of_patched_code():
    def events(function):
        seen = []

        def tracer(frame, event, arg):
            if frame.f_code is function.__code__:
                seen.append((event, frame.f_lineno))
            return tracer

        sys.settrace(tracer)
        try:
            function(3)
        finally:
            sys.settrace(None)
        return seen

    unit = unit_of(loop, "STORE_FAST", 1)
    woven, jump = with_bypassed_stub(loop, calling(lambda: None), unit)
    woven(100)
    assert events(woven) == events(loop)
    woven(3)  # what the tracer put into the code goes when it runs again
    assert NATIVE.patch_jump(woven.__code__, *jump)
    for _ in range(2):
        assert events(woven) == events(loop)
        assert woven(100) == loop(100)


@needs_native
@pytest.mark.skipif(not hasattr(sys, "monitoring"), reason="sys.monitoring is new in 3.12")
def test_monitoring_tools_work_on_patched_code():
    monitoring = sys.monitoring
    tool, kinds = 3, monitoring.events.LINE | monitoring.events.JUMP | monitoring.events.INSTRUCTION

    def lines(function):
        seen = []
        monitoring.use_tool_id(tool, "test")
        monitoring.register_callback(
            tool, monitoring.events.LINE, lambda code, line: seen.append(line)
        )
        monitoring.set_local_events(tool, function.__code__, kinds)
        try:
            assert function(4) == 6
        finally:
            monitoring.set_local_events(tool, function.__code__, 0)
            monitoring.free_tool_id(tool)
        return seen

    unit = unit_of(loop, "STORE_FAST", 1)
    woven, jump = with_bypassed_stub(loop, calling(lambda: None), unit)
    assert lines(woven) == lines(loop)
    woven(3)
    assert NATIVE.patch_jump(woven.__code__, *jump)
    assert lines(woven) == lines(loop)
    assert lines(woven) == lines(loop)
    assert woven(4) == 6


@needs_native
@pytest.mark.skipif(not hasattr(sys, "monitoring"), reason="sys.monitoring is new in 3.12")
def test_instrumented_stub_is_not_patched():
    monitoring, tool = sys.monitoring, 3
    woven, jump = with_bypassed_stub(loop, calling(lambda: None), 2)
    monitoring.use_tool_id(tool, "test")
    monitoring.register_callback(tool, monitoring.events.INSTRUCTION, lambda code, offset: None)
    monitoring.set_local_events(tool, woven.__code__, monitoring.events.INSTRUCTION)
    try:
        woven(2)
        assert NATIVE.patch_jump(woven.__code__, *jump) is False
    finally:
        monitoring.set_local_events(tool, woven.__code__, 0)
        monitoring.free_tool_id(tool)
    woven(2)
    assert NATIVE.patch_jump(woven.__code__, *jump)
    assert woven(4) == 6


@needs_native
@pytest.mark.parametrize("args", [(), (1, 2, 3), (loop.__code__, 0.0, 2), (loop.__code__, 0)])
def test_other_arguments_are_an_error(args):
    with pytest.raises(TypeError):
        NATIVE.patch_jump(*args)


@needs_native
def test_offsets_outside_are_refused():
    code = loop.__code__.replace()
    size = len(code.co_code)
    for begin, target in ((-2, 4), (1, 4), (0, 3), (0, size), (4, 4), (6, 4), (0, 10**6)):
        assert NATIVE.patch_jump(code, begin, target) is False
    assert code.co_code == loop.__code__.co_code


class Asked:
    """Stands for a handle: true every third time."""

    def __init__(self):
        self.times = 0

    def __bool__(self):
        self.times += 1
        return self.times % 3 == 0


@pytest.mark.parametrize("length", [0, 19, 20, 300, 40_000])
def test_stub_at_rest_runs_when_its_handle_is_true(length):
    seen, handle = [], Asked()
    bypass, stub = may_rest(handle, calling(lambda: seen.append(1), length))
    unit = unit_of(loop, "STORE_FAST", 1)
    assembled = assemble(decode(loop.__code__), {unit: stub})
    bypass = bypass.with_offsets(assembled.label_offsets)
    assert bypass.begin < bypass.resting < bypass.open < bypass.end
    assert bypass.resting < bypass.closed
    found = []
    for state in (OPEN, RESTING, CLOSED, OPEN):
        del seen[:]
        code = jumping(assembled.code, bypass.begin, bypass.target(state))
        assert types.FunctionType(code, globals())(9) == loop(9)
        found.append((len(seen), handle.times))
    assert found == [(9, 0), (3, 9), (0, 9), (9, 9)]


def whole(jump):
    begin, target = jump
    return Bypass(begin, begin + 2, target, target, target)


def test_bypasses_close_all_versions_and_name_the_newest():
    seen = []
    one, jump = with_bypassed_stub(loop, calling(lambda: seen.append(1)), 1)
    two, other = with_bypassed_stub(loop, calling(lambda: seen.append(2)), 1)
    bypasses = Bypasses()
    bypasses.add(one.__code__, {"region": (whole(jump),)})
    bypasses.add(two.__code__, {"region": (whole(other),), "another": ()})
    two.__code__ = bypasses.move("region", CLOSED, two.__code__)
    assert two(4) == 6
    assert seen == []
    one(4)
    assert seen == ([] if NATIVE is not None else [1])
    assert bypasses.move("unknown", CLOSED, two.__code__) is two.__code__


def test_bypasses_keep_no_code_alive():
    woven, jump = with_bypassed_stub(loop, calling(print), 1)
    bypasses = Bypasses()
    bypasses.add(woven.__code__, {"region": (whole(jump),)})
    del woven
    newest = loop.__code__
    assert bypasses.move("region", CLOSED, newest) is newest
    bypasses.add(newest, {})
    assert len(bypasses._versions) == 1


def test_patched_code_holds_no_reference_more():
    woven, jump = with_bypassed_stub(loop, calling(np.zeros), 1)
    before = sys.getrefcount(np.zeros)
    closed = jumping(woven.__code__, *jump)
    assert sys.getrefcount(np.zeros) <= before + 1
    del closed
