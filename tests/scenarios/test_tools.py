"""Tools around the code: pickling, copying, tracing, monitoring, threads, memory."""

import copy
import gc
import pickle
import sys
import threading
import tracemalloc
import weakref

import numpy as np
import pytest

import dyntrace
from tests.differential import check, optimised

ARRAY = np.arange(1.0, 6.0)


@dyntrace.optimize
def pickled_by_name(x):
    return np.sqrt(x) * 2


def test_a_decorated_function_is_pickled_by_name():
    for _ in range(3):
        pickled_by_name(ARRAY)
    assert pickle.loads(pickle.dumps(pickled_by_name)) is pickled_by_name


def test_functions_and_their_code_can_be_copied():
    def program(x):
        return x * 2 + 1

    fast = optimised(program)
    for _ in range(3):
        fast(ARRAY)
    assert copy.copy(fast) is fast and copy.deepcopy(fast) is fast
    clone = type(fast)(fast.__code__.replace(co_name="clone"), fast.__globals__)
    assert np.array_equal(clone(ARRAY), program(ARRAY))


def events_of(function, *args):
    """What a tracer sees of a call: each event's kind, function and line."""
    seen = []

    def tracer(frame, event, arg):
        if frame.f_code.co_filename != __file__ or frame.f_code.co_name.startswith("events_of"):
            return None
        seen.append((event, frame.f_code.co_name, frame.f_lineno))
        return tracer

    before = sys.gettrace()
    sys.settrace(tracer)
    try:
        function(*args)
    finally:
        sys.settrace(before)
    return seen


def traced(x, n):
    total = x * 0
    for i in range(n):
        if i % 2:
            total = total + x
        else:
            total = total - (x * 2)
    try:
        total = total + np.ones(99)
    except ValueError:
        total = helper_of_traced(total)
    return total


def helper_of_traced(x):
    y = x + 1
    return y * 2


def test_settrace_sees_the_events_of_the_plain_function():
    expected = events_of(traced, ARRAY, 4)
    fast = optimised(traced)
    for _ in range(4):
        assert events_of(fast, ARRAY, 4) == expected
        fast(ARRAY, 4)


def test_setprofile_sees_the_calls_of_the_plain_function():
    def profile_of(function):
        seen = []

        def profiler(frame, event, arg):
            if frame.f_code.co_filename == __file__:
                name = getattr(arg, "__name__", None) if event.startswith("c_") else None
                seen.append((event, frame.f_code.co_name, name))

        sys.setprofile(profiler)
        try:
            function(ARRAY, 4)
        finally:
            sys.setprofile(None)
        return seen

    expected = profile_of(traced)
    fast = optimised(traced)
    for _ in range(3):
        assert profile_of(fast) == expected
        fast(ARRAY, 4)


@pytest.mark.skipif(not hasattr(sys, "monitoring"), reason="sys.monitoring is new in Python 3.12")
def test_monitoring_sees_the_lines_and_raises_of_the_plain_function():
    monitoring = sys.monitoring

    def lines_of(function):
        seen = []

        def line(code, number):
            if code.co_filename == __file__ and "traced" in code.co_name:
                seen.append((code.co_name, number))

        def raised(code, offset, error):
            if code.co_filename == __file__ and "traced" in code.co_name:
                seen.append((code.co_name, type(error).__name__))

        monitoring.use_tool_id(4, "test")
        try:
            monitoring.register_callback(4, monitoring.events.LINE, line)
            monitoring.register_callback(4, monitoring.events.RAISE, raised)
            monitoring.set_events(4, monitoring.events.LINE | monitoring.events.RAISE)
            function(ARRAY, 4)
        finally:
            monitoring.set_events(4, 0)
            monitoring.register_callback(4, monitoring.events.LINE, None)
            monitoring.register_callback(4, monitoring.events.RAISE, None)
            monitoring.free_tool_id(4)
        return seen

    expected = lines_of(traced)
    fast = optimised(traced)
    for _ in range(3):
        assert lines_of(fast) == expected
        fast(ARRAY, 4)


def test_tracing_switched_on_in_the_middle_of_a_call():
    def tracer(frame, event, arg):
        return tracer

    def program(x):
        y = x * 2
        sys.settrace(tracer)
        z = y + 1
        sys.settrace(None)
        return z * y

    before = sys.gettrace()
    check(program, ARRAY)
    sys.settrace(before)


def test_eight_threads_with_different_dtypes_while_another_resets():
    def program(x, n):
        for i in range(n):
            x = x * 2 + i
            if x[0] > 100:
                x = x - x[0]
        return x.sum(), x

    fast = optimised(program)
    dtypes = ("f8", "f4", "i8", "i4", "c16", "f2", "u2", "c8")
    with np.errstate(all="ignore"):
        expected = {d: program((np.arange(9) % 5).astype(d), 20) for d in dtypes}
    failures, done = [], threading.Event()

    def work(dtype):
        np.seterr(all="ignore")
        for _ in range(60):
            total, values = fast((np.arange(9) % 5).astype(dtype), 20)
            if values.dtype != expected[dtype][1].dtype or repr(total) != repr(expected[dtype][0]):
                failures.append((dtype, total))

    def resetting():
        while not done.wait(0.002):
            dyntrace.reset()

    threads = [threading.Thread(target=work, args=(d,)) for d in dtypes]
    resetter = threading.Thread(target=resetting)
    resetter.start()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    done.set()
    resetter.join()
    assert not failures


def test_a_flag_set_by_another_thread_ends_a_loop():
    stop = [False]

    def program(x):
        while not stop[0]:
            x = np.cos(x)
        return x

    fast = optimised(program)
    timer = threading.Timer(0.1, lambda: stop.__setitem__(0, True))
    timer.start()
    assert fast(ARRAY).shape == (5,)
    timer.join()


def growth_of(action, count):
    """Bytes still held after `count` more runs of `action`, once it has warmed up."""
    action(max(count // 10, 10))
    gc.collect()
    tracemalloc.start()
    try:
        action(50)
        gc.collect()
        before = tracemalloc.get_traced_memory()[0]
        action(count)
        gc.collect()
        return tracemalloc.get_traced_memory()[0] - before
    finally:
        tracemalloc.stop()


def test_many_calls_leave_memory_flat():
    def program(x, log):
        y = x * 2 + 1
        log.clear()
        y += x
        return y[1:].sum()

    fast = optimised(program)

    def action(count):
        log = []
        for _ in range(count):
            fast(ARRAY, log)

    action(80_000)
    assert growth_of(action, 10_000) < 20_000


def test_calls_that_deoptimise_leave_memory_flat():
    def program(x, y):
        try:
            return x * 2 + y
        except ValueError:
            return None

    fast = optimised(program)
    wrong = np.ones(3)

    def action(count):
        for _ in range(count):
            fast(ARRAY, wrong)
            fast(ARRAY, ARRAY)

    assert growth_of(action, 3_000) < 20_000


def test_dropped_optimised_lambdas_leave_memory_flat():
    def action(count):
        for i in range(count):
            fast = optimised(lambda x, k=i: x * k + 1)
            if i % 20 == 0:
                for _ in range(3):
                    fast(ARRAY)

    action(7_000)
    assert growth_of(action, 3_000) < 200_000


def test_a_dropped_function_is_collected():
    class Token:
        pass

    token = Token()
    alive = weakref.ref(token)
    fast = optimised(lambda x, held=token: x * 2 + 1)
    for _ in range(4):
        fast(ARRAY)
    del fast, token
    gc.collect()
    assert alive() is None


def test_arguments_and_results_are_not_kept_alive():
    def program(x):
        y = x * 2
        return y + 1

    fast = optimised(program)
    x = np.ones(1000)
    for _ in range(4):
        result = fast(x)
    alive = weakref.ref(x), weakref.ref(result)
    del x, result
    gc.collect()
    assert alive[0]() is None and alive[1]() is None


def test_reference_counts_after_a_region():
    def program(x):
        y = x * 2
        before = sys.getrefcount(y)
        z = y + 1
        y.resize(20)
        return before, sys.getrefcount(y), sys.getrefcount(x), z

    check(program, make=lambda: (np.arange(5.0),))


def test_weakrefs_and_finalizers_of_named_arrays_fire_in_order():
    class Array(np.ndarray):
        pass

    def program(x, log):
        a = x * 2
        b = (a + 1).view(Array)
        weakref.finalize(b, log.append, "b")
        c = b.sum()
        del b
        log.append("after del")
        return a, float(c), log

    check(program, make=lambda: (ARRAY.copy(), []))


def test_a_loop_at_constant_depth_is_replaced_in_place():
    def depth():
        frame, count = sys._getframe(), 0
        while frame is not None:
            frame, count = frame.f_back, count + 1
        return count

    def program(x, n):
        depths = set()
        for i in range(n):
            x = x * 0.5 + 1
            if i % 1000 == 0:
                depths.add(depth())
        return len(depths), x

    check(program, ARRAY, 5_000, calls=2)


def test_recursion_through_a_function_that_was_replaced_while_running():
    def program(x, n):
        for i in range(30):
            x = x * 0.5 + i
        if n:
            x = program(x, n - 1) + program(x + 1, n - 1)
        return x

    check(program, ARRAY, 4, calls=3)


def test_a_function_shared_by_sort_and_map_and_threads():
    from concurrent.futures import ThreadPoolExecutor

    def program(x):
        with ThreadPoolExecutor(2) as pool:
            parts = list(pool.map(lambda v: np.sqrt(v) * 2, [x, x + 1, x + 2]))
        return np.stack(parts).sum(axis=0)

    check(program, ARRAY, calls=3)


def test_what_optimize_accepts_and_refuses():
    with pytest.raises(TypeError, match="function"):
        dyntrace.optimize(3)
    assert dyntrace.optimize(len) is len
    assert dyntrace.optimize(np.sin) is np.sin


def test_optimize_of_an_optimised_function():
    def program(x):
        return x * 2 + 1

    twice = optimised(optimised(program))
    for _ in range(4):
        assert np.array_equal(twice(ARRAY), program(ARRAY))


def test_verify_returns_the_result_and_raises_what_the_function_raises():
    def program(x, y):
        print("seen")
        return x * 2 + y

    assert np.array_equal(dyntrace.verify(program)(ARRAY, 1), ARRAY * 2 + 1)
    with pytest.raises(ValueError, match="broadcast"):
        dyntrace.verify(program)(ARRAY, np.ones(3))


def test_verify_hands_the_mutation_of_its_arguments_on():
    def program(x):
        x += 1
        return x

    array = ARRAY.copy()
    assert dyntrace.verify(program)(array) is array
    assert np.array_equal(array, ARRAY + 1)
