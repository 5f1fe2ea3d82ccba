"""Warm code is compiled and put to use in running frames and in functions, and in nothing else."""

import gc
import sys
import threading
import traceback
import weakref

import numpy as np
import pytest

from dyntrace import config
from dyntrace.budget import Budget
from tests.programs.serving import has_regions, reach_now, region_calls, warm_running, warmed

monitored = pytest.mark.skipif(
    not hasattr(sys, "monitoring"), reason="3.11 has no sys.monitoring to set events in"
)
pytestmark = pytest.mark.skipif(not config.sampler, reason="the sampler is native")


def test_code_of_a_warm_function_is_exchanged_and_its_frames_run_it(service):
    def step(u):
        v = u * 2.0 + 1.0
        return np.sqrt(v * v)

    u = np.arange(5.0)
    expected = step(u)
    warmed(service, step, u)
    for _ in range(4):
        assert step(u).tobytes() == expected.tobytes()
    assert has_regions(step)
    assert region_calls(service) >= 3


def test_frame_runs_the_code_that_its_function_has(service):
    def look(u):
        v = u + 1.0
        return sys._getframe().f_code is look.__code__, v * 2.0

    warmed(service, look, np.ones(3))
    for _ in range(4):
        look(np.ones(3))
    assert has_regions(look)
    same, value = look(np.ones(3))
    assert same and value.tolist() == [4.0] * 3


def test_running_loop_goes_on_in_compiled_code(service):
    def loop(u, steps):
        for i in range(steps):
            if i == 10:
                warm_running(service, code, loop, globals())
                reach_now()
            u = u * 0.5 + 1.0
        else:
            u = u + 100.0
        return u, i

    code = loop.__code__
    expected = np.zeros(4)
    for _ in range(50):
        expected = expected * 0.5 + 1.0
    value, last = loop(np.zeros(4), 50)
    assert value.tobytes() == (expected + 100.0).tobytes() and last == 49
    assert region_calls(service) > 25


def test_running_while_loop_in_a_try_goes_on_in_compiled_code(service):
    def loop(u):
        count = 0
        try:
            while True:
                count += 1
                if count == 5:
                    warm_running(service, code, loop, globals())
                    reach_now()
                u = np.abs(u * 0.5) + 1.0
                if count == 40:
                    raise ValueError("enough")
        except ValueError as error:
            return u, str(error), count
        finally:
            u = None

    code = loop.__code__
    value, text, count = loop(np.zeros(3))
    assert (text, count) == ("enough", 40) and abs(value[0] - 2.0) < 1e-9
    assert region_calls(service) > 20


def test_inner_loop_inside_a_call_with_values_on_the_stack_goes_on(service):
    def loop(u):
        return np.stack([(warm_at(k, u) * 2.0 + k, reach_now())[0] for k in range(20)]), len("x")

    def warm_at(k, u):
        if k == 3:  # from 3.12 on a comprehension has no code of its own
            warm_running(service, sys._getframe(1).f_code, None, globals())
        return u

    value, one = loop(np.ones(2))
    assert one == 1 and value[:, 0].tolist() == [2.0 + k for k in range(20)]
    assert region_calls(service) > 8


def test_generator_runs_to_its_end_and_the_next_one_is_compiled(service):
    def values(u, count):
        for k in range(count):
            u = u * 0.5 + k
            yield u.copy()

    expected = [v.tobytes() for v in values(np.ones(3), 30)]
    running = values(np.ones(3), 30)
    found = [next(running).tobytes() for _ in range(5)]
    service.warm(values.__code__, values, globals())
    found += [v.tobytes() for v in running]
    assert found == expected
    for _ in range(4):
        assert [v.tobytes() for v in values(np.ones(3), 30)] == expected
    assert has_regions(values)


def test_exception_in_moved_frame_has_the_users_lines(service):
    def fail(u, v):
        w = u * 2.0
        return w + v

    def lines(call):
        try:
            call()
        except ValueError as error:
            return [(f.name, f.lineno, f.line) for f in traceback.extract_tb(error.__traceback__)][
                2:
            ]

    expected = lines(lambda: fail(np.ones(3), np.ones(4)))
    warmed(service, fail, np.ones(3), np.ones(3))
    for _ in range(3):
        assert lines(lambda: fail(np.ones(3), np.ones(4))) == expected
        fail(np.ones(3), np.ones(3))


def test_functions_made_anew_in_each_call_run_compiled_code(service):
    def make(k):
        def scaled(u):
            return u * k + u

        return scaled

    warmed(service, make(1.0), np.ones(3))
    before = region_calls(service)
    for k in range(20):
        assert make(float(k))(np.ones(3)).tolist() == [k + 1.0] * 3
    if config.sampler and hasattr(sys, "monitoring"):
        assert region_calls(service) > before + 10


def test_recursive_function_is_moved_in_all_its_frames(service):
    def descend(u, depth):
        v = u * 0.5 + depth
        return v if depth == 0 else descend(v, depth - 1) + v

    expected = descend(np.ones(3), 20)
    warmed(service, descend, np.ones(3), 20)
    for _ in range(4):
        assert descend(np.ones(3), 20).tobytes() == expected.tobytes()


def test_closure_cells_and_default_arguments_stay_what_they_are(service):
    total = np.zeros(2)

    def add(u, factor=2.0, *rest, bias=1.0, **more):
        nonlocal total
        total = total + u * factor + bias
        return total.copy()

    warmed(service, add, np.ones(2))
    total = np.zeros(2)
    for k in range(1, 5):
        assert add(np.ones(2)).tolist() == [3.0 * k] * 2
    add.__defaults__ = (10.0,)
    assert add(np.ones(2)).tolist() == [23.0] * 2


def test_a_tracer_sees_the_lines_of_the_plain_function(service):
    def traced(u):
        v = u + 1.0
        w = v * v
        return w

    events = []

    def tracer(frame, event, arg):
        if frame.f_code.co_name == "traced":
            events.append((event, frame.f_lineno))
            return tracer

    def record():
        events.clear()
        sys.settrace(tracer)
        try:
            traced(np.ones(3))
        finally:
            sys.settrace(None)
        return list(events)

    expected = record()
    warmed(service, traced, np.ones(3))
    for _ in range(3):
        assert record() == expected
        traced(np.ones(3))


def test_function_and_its_arguments_die_when_they_would(service):
    class Box:
        pass

    def use(box):
        return box.u * 2.0 + 1.0

    box = Box()
    box.u = np.ones(3)
    warmed(service, use, box)
    for _ in range(3):
        use(box)
    seen = weakref.ref(box)
    del box
    assert seen() is None
    seen = weakref.ref(use)
    del use
    gc.collect()
    assert seen() is None


def test_an_exhausted_budget_leaves_code_as_it_is():
    from dyntrace.programs.serving import Service

    budget = Budget()
    budget.spent = 1e9
    refusing = Service("numpy", budget)
    try:

        def step(u):
            return u * 2.0 + 1.0

        original = step.__code__
        refusing.warm(original, step, globals())
        assert step(np.ones(2)).tolist() == [3.0, 3.0]
        assert region_calls(refusing) == 0
    finally:
        refusing.close()


def test_threads_that_enter_a_warm_function_at_once_agree(service):
    def step(u):
        v = u * 2.0 + 1.0
        return np.sqrt(v * v + 1.0)

    expected = step(np.arange(50.0)).tobytes()
    service.warm(step.__code__, step, globals())
    wrong = []

    def work():
        for _ in range(200):
            if step(np.arange(50.0)).tobytes() != expected:
                wrong.append(1)

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong


@monitored
def test_events_are_local_to_warm_code_and_the_program_counts_as_unwatched(service):
    def step(u):
        return u * 2.0

    warmed(service, step, np.ones(2))
    assert sys.monitoring.get_events(service.tool) == 0
    assert sys.monitoring.get_tool(service.tool) == "dyntrace"


@monitored
def test_all_tool_ids_taken_by_others_leave_the_program_as_it_is():
    from dyntrace.programs.serving import Service

    taken = [tool for tool in range(6) if sys.monitoring.get_tool(tool) is None]
    for tool in taken:
        sys.monitoring.use_tool_id(tool, "somebody")
    try:
        refused = Service("numpy", Budget(unlimited=True))
        assert refused.tool is None

        def step(u):
            return u * 2.0

        assert refused.warm(step.__code__, step, globals()) is False
        assert step(np.ones(1)).tolist() == [2.0]
    finally:
        for tool in taken:
            sys.monitoring.free_tool_id(tool)


def test_code_that_outlives_its_budget_runs_the_original_and_goes_on_later():
    from dyntrace.programs.serving import Service

    budget = Budget()
    budget.spent = -1e9
    waiting = Service("numpy", budget)
    try:

        class Layer:
            def __init__(self, w):
                self.w = w

        def step(layers, u):
            for layer in layers:
                u = np.sqrt(layer.w * u * u + 1.0)
            return u

        original, layers = step.__code__, [Layer(np.ones(4)), Layer(np.ones(4))]
        expected = step(layers, np.ones(4)).tobytes()
        waiting.warm(original, step, globals())
        step(layers, np.ones(4))
        (compiled,) = waiting.family.all_compiled()
        if not compiled.versions.newest.layouts:
            budget.spent = 1e9
            for _ in range(3):
                assert step(layers, np.ones(4)).tobytes() == expected
            assert compiled.pace.waits and step.__code__ is original
            budget.spent = -1e9
            assert waiting.warm(original, step, globals()) is True
        for _ in range(6):
            assert step(layers, np.ones(4)).tobytes() == expected
        assert not compiled.pace.waits and has_regions(step)
    finally:
        waiting.close()


def test_code_without_array_work_is_left_after_a_few_versions(without_loops):
    from dyntrace.programs.serving import Service

    budget = Budget()
    budget.spent = -1e9
    patient = Service("numpy", budget)
    try:

        def total(items):
            found = 0
            for item in items:
                found += item.value
            return found

        class Item:
            def __init__(self, value):
                self.value = value

        original = total.__code__
        patient.warm(original, total, globals())
        for _ in range(40):
            assert total([Item(1), Item("2" and 2)]) == 3
        (compiled,) = patient.family.all_compiled()
        assert compiled.versions.count <= 5 and total.__code__ is original
    finally:
        patient.close()
