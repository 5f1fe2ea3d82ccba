"""What a loop depends on changes while it runs: helpers, globals, attributes; threads and signals."""

import contextlib
import gc
import math
import signal
import sys
import threading
import time

import numpy as np
import pytest

from tests.differential import optimised
from tests.scenarios.loops.hot import PASSES, TROUBLE, at_once, hot

factor = 2
stop = False


@pytest.fixture(autouse=True)
def compiled_at_once():
    with at_once():
        yield


def scale(x):
    return x * factor


def other_scale(x):
    return x - 1


def test_a_helper_rebound_by_the_loop_itself():
    def program(x, trouble):
        def helper(v):
            return v * 2.0

        s = 0.0
        for i in range(len(x)):
            s += helper(x[i])
            if i == trouble:
                helper = abs
        return s

    hot(program, -np.linspace(0.0, 1.0, PASSES), TROUBLE)


def test_a_global_helper_rebound_by_a_callback():
    def program(x, callback):
        global scale
        s = 0.0
        for i in range(len(x)):
            s += scale(x[i])
            if i % 100 == 50:
                callback(i)
        return s

    def callback(i):
        global scale
        scale = other_scale if i > TROUBLE else scale

    hot(program, np.linspace(0.0, 1.0, PASSES), callback)


def test_a_global_number_rebound_by_a_callback():
    def program(x, callback):
        global factor
        s = 0.0
        for i in range(len(x)):
            s += x[i] * factor
            if i % 100 == 50:
                factor = callback(i)
        factor = 2
        return s

    hot(program, np.linspace(0.0, 1.0, PASSES), lambda i: i if i % 200 == 50 else 2.5)


def test_a_helper_with_new_code_or_new_defaults():
    def program(x, trouble):
        def helper(v, by=2.0):
            return v * by

        def successor(v, by=3.0):
            return v - by

        s = 0.0
        for i in range(len(x)):
            s += helper(x[i])
            if i == trouble:
                helper.__defaults__ = (5.0,)
            if i == 2 * trouble:
                helper.__code__ = successor.__code__
        return s

    hot(program, np.linspace(0.0, 1.0, PASSES), TROUBLE)


def test_a_method_replaced_on_its_class_and_on_its_instance():
    class Body:
        def pull(self, x):
            return x * 0.5

    def program(x, trouble):
        class Local(Body):
            pass

        body, s = Local(), 0.0
        for i in range(len(x)):
            s += body.pull(x[i])
            if i == trouble:
                Local.pull = lambda self, x: x + 1.0
            if i == trouble + 500:
                body.pull = lambda x: x - 1.0
            if i == trouble + 900:
                del body.pull
        return s

    hot(program, np.linspace(0.0, 1.0, PASSES), TROUBLE)


def test_an_instance_that_changes_its_class():
    class Soft:
        def pull(self, x):
            return x * 0.5

    class Hard(Soft):
        def pull(self, x):
            return x * 3.0

    def program(x, trouble):
        body, s = Soft(), 0.0
        for i in range(len(x)):
            if i == trouble:
                body.__class__ = Hard
            s += body.pull(x[i])
        return s

    hot(program, np.linspace(0.0, 1.0, PASSES), TROUBLE)


def test_helpers_of_several_kinds_in_turns():
    def program(x, helpers):
        s = 0.0
        for i in range(len(x)):
            helper = helpers[i * len(helpers) // len(x)]
            s += helper(x[i])
        return s

    hot(program, np.linspace(0.0, 1.0, PASSES), [math.sqrt, abs, scale, np.exp, float, np.float32])


def test_a_module_attribute_replaced_in_one_pass():
    def program(x, trouble):
        root = math.sqrt
        s = 0.0
        try:
            for i in range(len(x)):
                s += math.sqrt(x[i])
                if i == trouble:
                    math.sqrt = abs
        finally:
            math.sqrt = root
        return s

    hot(program, np.linspace(0.0, 1.0, PASSES), TROUBLE)


def test_a_builtin_hidden_by_a_global_in_one_pass():
    def program(x, trouble):
        global abs
        s = 0.0
        try:
            for i in range(len(x)):
                s += abs(x[i])
                if i == trouble:
                    abs = scale
        finally:
            globals().pop("abs", None)
        return s

    hot(program, -np.linspace(0.0, 1.0, PASSES), TROUBLE)


def test_the_array_of_a_global_replaced_in_one_pass():
    holder = {"a": np.zeros(10)}

    def program(holder, n, trouble):
        s = 0.0
        for i in range(n):
            holder["a"][i % 5] += 1.0
            if i == trouble:
                holder["a"] = np.ones(6, dtype=np.float32)
            s += holder["a"][i % 5]
        return s, holder

    hot(program, holder, PASSES, TROUBLE)


def interrupted_after(seconds, body, error):
    """Run `body` and raise `error` in the main thread after some seconds; how long that took."""

    def handler(number, frame):
        raise error

    before = signal.signal(signal.SIGALRM, handler)
    start = time.perf_counter()
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        with pytest.raises(type(error)):
            body()
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0.0)
        signal.signal(signal.SIGALRM, before)
    return time.perf_counter() - start


def counting(a, n):
    for i in range(n):
        a[0] += 1.0
        a[1] += 1.0
        a[2] = i


def counting_forever(a, n):
    while True:
        a[0] += 1.0
        a[1] += 1.0
        a[2] = a[1] - 1.0


def counting_in_loops(a, n):
    for i in range(n):
        for _ in range(1000):
            a[0] += 1.0
            a[1] += 1.0
        a[2] = a[1] - 1.0


@pytest.mark.parametrize("program", [counting, counting_forever, counting_in_loops])
def test_a_signal_arrives_soon_and_finds_a_state_that_eager_could_have_had(program):
    fast = optimised(program)
    fast(np.zeros(3), PASSES) if program is not counting_forever else None
    for _ in range(3):
        a = np.zeros(3)
        took = interrupted_after(0.05, lambda: fast(a, 10**10), KeyboardInterrupt())
        assert took < 5.0
        assert a[0] > 0.0 and a[0] - a[1] in (0.0, 1.0)
        assert 0.0 <= a[1] - a[2] <= (2.0 if program is not counting_in_loops else 1001.0)


def test_a_signal_handler_changes_what_the_loop_reads():
    def program(a):
        i = 0
        while a[0] == 0.0:
            i += 1
            a[1] = i
        return i

    fast = optimised(program)
    for _ in range(2):
        a = np.zeros(2)
        before = signal.signal(signal.SIGALRM, lambda number, frame: a.__setitem__(0, 1.0))
        signal.setitimer(signal.ITIMER_REAL, 0.05)
        try:
            assert fast(a) == a[1] > 0
        finally:
            signal.signal(signal.SIGALRM, before)


def test_a_global_flag_that_another_thread_sets_ends_the_loop():
    def program(a):
        n = 0
        while not stop:
            n += 1
            a[0] = n
        return n

    def setting():
        global stop
        time.sleep(0.05)
        stop = True

    global stop
    fast = optimised(program)
    for _ in range(3):
        stop = False
        thread = threading.Thread(target=setting)
        thread.start()
        a = np.zeros(1)
        assert fast(a) == a[0] > 0
        thread.join()


def test_an_element_that_another_thread_writes_ends_the_loop():
    def program(flags, a):
        n = 0
        while flags[0] == 0:
            n += 1
            a[0] = n
        return n

    def setting(flags):
        time.sleep(0.05)
        flags[0] = 1

    fast = optimised(program)
    for flags in (np.zeros(1, np.int64), [0], np.zeros(1, np.int64)):
        thread = threading.Thread(target=setting, args=(flags,))
        thread.start()
        a = np.zeros(1)
        assert fast(flags, a) == a[0] > 0
        thread.join()


def test_other_threads_make_progress_beside_a_long_loop():
    def program(a, ended):
        n = 0
        while not ended.is_set() and n < 10**9:
            for _ in range(1000):
                a[0] += 1.0
                n += 1
        return n

    fast, ended = optimised(program), threading.Event()

    def beside():
        for _ in range(50):
            time.sleep(0.0005)
        ended.set()

    start = time.perf_counter()
    thread = threading.Thread(target=beside)
    thread.start()
    a = np.zeros(1)
    assert fast(a, ended) == a[0]
    thread.join()
    assert time.perf_counter() - start < 20.0


def test_one_function_in_eight_threads():
    def program(x, n):
        s = 0.0
        for i in range(n):
            x[i % len(x)] = x[(i + 1) % len(x)] * 0.5 + i % 3
            s += x[i % len(x)]
        return s

    fast = optimised(program)
    expected = program(np.ones(7), PASSES)
    found = []
    threads = [
        threading.Thread(target=lambda: found.append(fast(np.ones(7), PASSES))) for _ in range(8)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == [expected] * 8


def test_an_async_exception_ends_a_long_loop():
    import ctypes

    class Ended(Exception):
        pass

    def program(a):
        while True:
            a[0] += 1.0
            a[1] += 1.0

    fast, a, caught = optimised(program), np.zeros(2), []

    def running():
        try:
            fast(a)
        except Ended:
            caught.append(True)

    thread = threading.Thread(target=running)
    thread.start()
    time.sleep(0.05)
    raising = ctypes.pythonapi.PyThreadState_SetAsyncExc
    assert raising(ctypes.c_ulong(thread.ident), ctypes.py_object(Ended)) == 1
    thread.join(20.0)
    assert caught == [True] and a[0] - a[1] in (0.0, 1.0)


def test_a_trace_function_set_in_one_pass_sees_the_passes_after_it():
    def program(n, trouble, lines):
        def tracer(frame, event, argument):
            lines.append((event, frame.f_lineno - frame.f_code.co_firstlineno))
            return tracer

        s = 0
        for i in range(n):
            s += i
            if i == trouble:
                sys.settrace(tracer)
                helper(s)
                sys.settrace(None)
        return s

    def helper(s):
        return s + 1

    hot(program, PASSES, TROUBLE, [])


def test_a_local_that_a_callee_changes_through_the_frame_is_read_as_eager_reads_it():
    def look():
        return sorted(sys._getframe(1).f_locals.items(), key=lambda item: item[0])

    def program(n, trouble):
        s, seen = 0, None
        for i in range(n):
            s += i * 2
            if i == trouble:
                seen = [pair for pair in look() if pair[0] in ("i", "n", "s")]
        return s, seen

    hot(program, PASSES, TROUBLE)


def test_a_collection_in_one_pass_and_references_counted_after_the_loop():
    def program(x, n, trouble):
        s = 0.0
        for i in range(n):
            row = x[i % len(x)]
            s += row[0]
            if i == trouble:
                gc.collect()
        return s, sys.getrefcount(x) - sys.getrefcount(x), sys.getrefcount(row) < 5

    hot(program, np.ones((5, 2)), PASSES, TROUBLE)


def test_output_redirected_in_one_pass():
    import io

    def program(n, trouble):
        out, s = io.StringIO(), 0
        with contextlib.ExitStack() as stack:
            for i in range(n):
                s += i
                if i == trouble:
                    stack.enter_context(contextlib.redirect_stdout(out))
                if i % 500 == 0:
                    print(i, s)
        return out.getvalue(), s

    hot(program, PASSES, TROUBLE)
