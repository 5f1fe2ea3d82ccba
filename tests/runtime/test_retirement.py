"""Regions that are given up: for which failures, what runs afterwards, and what is said of it."""

import dis
import itertools
import sys
import threading

import numpy as np
import pytest

import dyntrace
from dyntrace import config, incidents
from dyntrace.errors import DyntraceWarning
from dyntrace.runtime.causes import Cause
from dyntrace.runtime.handles import Handle, set_clock
from dyntrace.trace.marks import tag_of
from tests.runtime.conftest import NATIVE

pytestmark = pytest.mark.usefixtures("without_loops")

ANY = ("argument", 0, None, "none", None, None)
A = np.arange(1.0, 6.0)
needs_native = pytest.mark.skipif(NATIVE is None, reason="the extension is not in use")


def optimised(function):
    fast = dyntrace.optimize(function)
    return fast, tag_of(fast).compiled


# Causes ------------------------------------------------------------------------------------------
def region_of(runtime, run, limit=3):
    region = runtime.Region([((ANY,), (0,), run, False)])
    region.deopt_limit = limit
    return region


@pytest.mark.parametrize(
    "body, cause",
    [
        ("return None", Cause.DECLINED),
        ("raise CannotProve('no')", Cause.DECLINED),
        ("raise ValueError", Cause.ERRORS),
        ("raise FloatingPointError", Cause.FLOATING),
    ],
)
def test_cause_is_told(runtime, generated, body, cause):
    from dyntrace.exec.checks import CannotProve

    told = []
    region = region_of(runtime, generated(f"def run(x): {body}", CannotProve=CannotProve))
    region.on_retire = lambda retired: told.append(retired.cause)
    assert [region.handle(1) for _ in range(5)] == [None] * 5
    assert (region.retired, region.cause, region.deopts) == (True, cause, 3)
    assert told == [cause]


def test_failures_of_different_causes_do_not_add_up(runtime, generated):
    text = "def run(x):\n    if x:\n        raise ValueError\n    return None"
    region = region_of(runtime, generated(text))
    for number in range(4):
        region.handle(number % 2)
    assert not region.retired
    region.handle(0)
    assert region.cause == Cause.DECLINED


def test_region_that_mostly_succeeds_is_not_given_up(runtime):
    region = region_of(runtime, lambda x: x if x else None)
    for number in range(1, 20_000):
        region.handle(number % 9)
    assert not region.retired


def test_failures_after_many_successes_are_noticed(runtime):
    region = region_of(runtime, lambda x: x if x else None)
    for _ in range(10_000):
        region.handle(1)
    for _ in range(5):
        region.handle(0)
    assert not region.retired
    for _ in range(100):
        region.handle(0)
    assert region.retired


def test_misses_retire_once_no_entry_is_added_any_more(runtime):
    region = runtime.Region([((("argument", 0, None, "exact", int, None),), (0,), bool, False)])
    region.deopt_limit = 3
    region.on_miss = lambda missed, args: False
    for _ in range(500):
        region.handle("a")
    assert not region.retired
    region.on_miss = None
    region.handle("a")
    assert region.cause == Cause.MISSES


def test_misses_among_hits_do_not_retire(runtime):
    region = runtime.Region([((("argument", 0, None, "exact", int, None),), (0,), bool, False)])
    region.deopt_limit = 3
    for _ in range(500):
        region.handle("a")
        region.handle(1)
    assert not region.retired


def test_failing_on_retire_is_reported_and_changes_nothing(runtime, generated, lenient):
    region = region_of(runtime, lambda x: None, limit=1)
    region.on_retire = generated("def run(region): raise ValueError")
    with pytest.warns(DyntraceWarning, match="ValueError"):
        assert region.handle(1) is None
    assert region.retired and len(incidents.lines_of(region)) == 1


def test_interrupt_in_on_retire_propagates(runtime, generated):
    region = region_of(runtime, lambda x: None, limit=1)
    region.on_retire = generated("def run(region): raise KeyboardInterrupt")
    with pytest.raises(KeyboardInterrupt):
        region.handle(1)
    assert region.handle(1) is None


# Code --------------------------------------------------------------------------------------------
def failing(a, n, log):
    for i in range(n):
        try:
            a = a + a[: 1 + i]
        except ValueError:
            log.append(i)
    return a


def test_function_whose_regions_have_all_retired_runs_its_original_code():
    fast, compiled = optimised(failing)
    for _ in range(3):
        fast(A, 30, [])
    assert fast(A, 4, []).tolist() == failing(A, 4, []).tolist()
    assert dyntrace.stats(fast).retired >= 1
    assert compiled.has_nothing_to_gain()
    assert fast.__code__ is failing.__code__


def test_retired_region_is_not_woven_again():
    fast, compiled = optimised(failing)
    for _ in range(3):
        fast(A, 30, [])
    compiles = compiled.versions.compiles
    compiled.compile()
    assert compiled.versions.compiles == compiles + 1
    assert not compiled.plans()
    assert fast(A, 1, []).tolist() == failing(A, 1, []).tolist()


def test_reset_gives_regions_another_chance():
    fast, compiled = optimised(failing)
    for _ in range(3):
        fast(A, 30, [])
    assert compiled.retired()
    dyntrace.reset()
    assert not compiled.retired()
    for _ in range(2):
        fast(A, 1, [])
    assert compiled.plans()


def test_other_regions_of_the_function_go_on():
    def program(a, n, log):
        for i in range(n):
            try:
                a + a[:2]
            except ValueError:
                log.append(i)
            a = a * 2.0 + 1.0
        return a

    fast, compiled = optimised(program)
    for _ in range(3):
        assert fast(A, 20, []).tolist() == program(A, 20, []).tolist()
    (found,) = compiled.plans()
    calls = found[1].calls
    fast(A, 20, [])
    assert found[1].calls > calls
    assert dyntrace.stats(fast).retired >= 1


@needs_native
def test_running_loop_goes_on_without_the_stub():
    fast, compiled = optimised(failing)
    codes = []

    class Log(list):
        def append(self, item):
            codes.append(sys._getframe(1).f_code)
            super().append(item)

    fast(A, 30, Log())
    code = codes[-1]
    (calls,) = {known.region.calls for known in compiled.retired()}
    assert calls <= 5
    assert code is not failing.__code__
    bypasses = next(
        bypasses for version, bypasses in compiled.versions.bypasses._versions if version() is code
    )
    jumps = {step.offset: (step.opname, step.argval) for step in dis.get_instructions(code)}
    of_regions = [each for layout, each in bypasses.items() if layout is not None]
    found = [(jumps[bypass.begin], bypass.closed) for each in of_regions for bypass in each]
    assert found
    assert all(jump == ("JUMP_FORWARD", target) for jump, target in found)


def test_retirement_is_reported_with_line_and_reason():
    fast, _ = optimised(failing)
    for _ in range(3):
        found = dyntrace.explain(fast)(A, 30, [])
    (item,) = found.retired
    assert item.code == "DT703"
    assert item.lineno == failing.__code__.co_firstlineno + 3
    assert "retired: DT703 at" in str(found)
    assert "DT703" in found.to_html()
    assert dyntrace.stats(fast).retirements == (item,)
    assert found.graph_break_count == len(found.breaks)


# Measuring ---------------------------------------------------------------------------------------
FASTER = [100, 200, 300, 300, 500, 600, 600, 800, 900, 1000]
SLOWER = [100, 300, 400, 400, 500, 600, 600, 700, 800, 1000]


@pytest.fixture
def measured(monkeypatch):
    """Regions are compared; what the clock shows during four calls is to be given."""
    monkeypatch.setattr(config, "measure", True)
    yield lambda times: set_clock(itertools.cycle(times).__next__)
    set_clock(None)


def steps(a, b, n):
    for i in range(n):
        a = a * 0.5 + b
        b = b - 0.25
    return a, b


def stored(a, b, n):
    for i in range(n):
        b[1:] = a[:-1] * 2.0
        if i % 3 == 2:
            continue
        a[:] = b - 1.0
    return a, b


def stacked(a, b, n):
    found = []
    for i in range(n):
        found.append(len([a + i, b * i, [a - b, found]][2]))
    return found[-1], a


def nested(a, b, n):
    for i in range(n):
        for k in range(2):
            with np.errstate(over="ignore"):
                a = a + b * k
            if k:
                b = np.abs(b) + 1
    return a, b


LARGE = np.linspace(0.0, 1.0, 150_000)
PROGRAMS = [steps, stored, stacked, nested]


@pytest.mark.parametrize("times", [FASTER, SLOWER], ids=["faster", "slower"])
@pytest.mark.parametrize("program", PROGRAMS)
def test_measuring_changes_no_result(program, times, measured):
    measured(times)
    fast, _ = optimised(program)
    for arrays in ((A, A[::-1]), (LARGE, LARGE[::-1])):
        for _ in range(4):
            mine, its = ([array.copy() for array in arrays] for _ in range(2))
            found, wanted = fast(*mine, 60), program(*its, 60)
            for one, other in zip((*found, *mine), (*wanted, *its), strict=True):
                assert np.array_equal(one, other)


def test_slower_regions_are_retired_and_said_to_be(measured):
    measured(SLOWER)
    fast, compiled = optimised(steps)
    for _ in range(4):
        fast(LARGE, LARGE, 60)
    assert [item.code for item in dyntrace.stats(fast).retirements] == ["DT705"]
    assert fast.__code__ is steps.__code__
    assert compiled.has_nothing_to_gain()


def halve(a, n):
    for _ in range(n):
        a[1:] = a[:-1] * 0.5
    return a


def halve_often(a, n):
    for _ in range(n):
        a = halve(a, n)
    return a


def test_what_only_calls_a_twin_is_not_compared_since_its_gain_comes_later(measured):
    measured(FASTER)
    fast, compiled = optimised(halve_often)
    for _ in range(8):
        fast(LARGE.copy(), 12)
    (calling,) = compiled.regions.all()
    assert calling.region.calls > 80 and calling.region.skips == 0
    assert not calling.region.retired


def test_faster_regions_stay(measured):
    measured(FASTER)
    fast, compiled = optimised(steps)
    for _ in range(4):
        fast(LARGE, LARGE, 60)
    assert not dyntrace.stats(fast).retired
    (found,) = compiled.plans()
    assert found[1].skips == 8


def test_comparisons_are_no_deopts(measured):
    measured(FASTER)
    fast, _ = optimised(steps)
    for _ in range(3):
        found = dyntrace.explain(fast)(LARGE, LARGE, 60)
    assert dyntrace.stats(fast).deopts == 0
    (graph,) = found.graphs
    assert (graph.deopts, graph.misses, graph.declined, graph.compared) == (0, 0, 0, 8)
    calls = 3 if config.native else 2  # without C the first one finishes in its old code
    assert graph.calls == graph.runs == calls * 60 - 8
    assert graph.executed == graph.op_count * graph.runs


def test_exceptions_during_a_comparison_are_the_originals(measured):
    def program(a, n):
        for i in range(n):
            a = a * 2.0
            if i == 5:
                a = a[:2] + a
        return a

    measured(FASTER)
    fast, _ = optimised(program)
    for _ in range(10):
        with pytest.raises(ValueError, match="broadcast") as mine:
            fast(A, 10)
        with pytest.raises(ValueError) as its:
            program(A, 10)
        assert mine.tb.tb_next.tb_lineno == its.tb.tb_next.tb_lineno
        assert str(mine.value) == str(its.value)


def test_tracers_see_the_same_lines_past_a_marker(measured):
    def lines(function):
        seen = []

        def tracer(frame, event, arg):
            if frame.f_code.co_name == "steps":
                seen.append((event, frame.f_lineno))
            return tracer

        sys.settrace(tracer)
        try:
            function(A, A, 3)
        finally:
            sys.settrace(None)
        return seen

    measured(FASTER)
    fast, _ = optimised(steps)
    fast(A, A, 30)
    assert lines(fast) == lines(steps)


def test_generators_are_measured_too(measured):
    def program(a, n):
        for i in range(n):
            a = a * 0.5 + i
            yield a

    measured(SLOWER)
    fast, _ = optimised(program)
    for _ in range(3):
        mine, its = list(fast(LARGE, 60)), list(program(LARGE, 60))
        assert all(map(np.array_equal, mine, its))
    assert dyntrace.stats(fast).retired


def test_threads_may_be_measured_at_once(monkeypatch):
    monkeypatch.setattr(config, "measure", True)
    fast, _ = optimised(steps)
    wanted = steps(A, A, 200)
    results = []
    threads = [threading.Thread(target=lambda: results.append(fast(A, A, 200))) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(results) == 6
    assert all(np.array_equal(found[0], wanted[0]) for found in results)


def test_markers_are_woven_only_where_regions_are_measured(monkeypatch):
    def handles(fast):
        fast(A, A, 5)
        return sum(isinstance(constant, Handle) for constant in fast.__code__.co_consts)

    fast, _ = optimised(steps)
    unmeasured = handles(fast)
    monkeypatch.setattr(config, "measure", True)
    fast, _ = optimised(steps)
    assert handles(fast) == unmeasured + 1
