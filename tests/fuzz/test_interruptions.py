"""Signals and asynchronous exceptions around effects: some eager prefix, the exception seen once.

The state of the arrays after an interrupted call must be one that eager passes through between two
of its lines, no effect may happen twice, and the exception of the handler must come out unless the
call was over first.
"""

import ctypes
import functools
import random
import signal
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from dyntrace import config
from dyntrace.runtime import faults
from tests.differential import optimised

if config.jit:  # an import that is interrupted leaves a file open, whoever imports
    import dyntrace.functions.loop_compiler  # noqa: F401

pytestmark = pytest.mark.skipif(not hasattr(signal, "setitimer"), reason="needs interval timers")


class Interrupted(BaseException):
    """Raised by the signal handlers here, and by nothing else."""


def effects(a, b):
    a += 1
    b += a
    a *= 2
    b[1:] = a[:-1]
    c = np.sqrt(a * a + b * b)
    a += c * 0 + 1
    b -= 1
    return c


def looping(a, b):
    for i in range(6):
        a += i
        t = a * 2 + b
        b += 1
        b[0] = i
    return t


def handled(a, b):
    for i in range(4):
        try:
            a += 1
            c = a + b[: 5 if i % 2 else 3]
            b += 1
        except ValueError:
            b *= 2
        finally:
            a -= 3
    return c


def broken(a, b):
    log = []
    for i in range(4):
        a += i
        log.append(a.sum())
        b += a
        log.append(repr(i))
        a[1:] *= 2
    return log


PROGRAMS = [effects, looping, handled, broken]


def fresh():
    return np.arange(5.0), np.arange(5.0) * 10


def key(arrays):
    return b"".join(array.tobytes() for array in arrays)


@functools.cache
def eager_states(program):
    """Every state that eager can be left in: interrupted before its n-th instruction, for all n.

    In a thread of its own: a tracer that raises before POP_EXCEPT leaves the exception handled there.
    """
    with ThreadPoolExecutor(1) as pool:
        return pool.submit(all_eager_states, program).result()


def all_eager_states(program):
    states, number, finished = set(), 0, False
    eager_run(program, fresh(), -1)  # Python 3.12 tells of instructions from the second run on
    while not finished:
        number += 1
        arrays = fresh()
        finished = eager_run(program, arrays, number)
        states.add(key(arrays))
    return states, key(arrays)


def eager_run(program, arrays, number):
    """Run `program` and raise Interrupted before its instruction `number`; whether it got there."""
    left = [number]

    def tracer(frame, event, arg):
        if frame.f_code is not program.__code__:
            return None
        frame.f_trace_opcodes = True
        if event == "opcode":
            left[0] -= 1
            if left[0] == 0:
                raise Interrupted
        return tracer

    before = sys.gettrace()
    sys.settrace(tracer)
    try:
        program(*arrays)
    except Interrupted:
        return False
    finally:
        sys.settrace(before)
    return True


@pytest.fixture
def raising(monkeypatch):
    """SIGALRM raises Interrupted, and its deliveries are counted.

    One that arrives in a callback of the garbage collector ends there, as in any Python program.
    """
    count = []

    def unraisable(details):
        assert details.exc_type is Interrupted
        count.pop()

    monkeypatch.setattr(sys, "unraisablehook", unraisable)

    def handler(number, frame):
        count.append(number)
        raise Interrupted

    before = signal.signal(signal.SIGALRM, handler)
    try:
        yield count
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


def interrupted_run(fast, delay, count):
    """One call with an alarm after `delay` seconds; the arrays and whether Interrupted came out."""
    arrays = fresh()
    count.clear()
    seen = 0
    try:
        signal.setitimer(signal.ITIMER_REAL, delay)
        fast(*arrays)
        signal.setitimer(signal.ITIMER_REAL, 0)
        time.sleep(1e-4)  # an alarm that another thread received is seen here
    except Interrupted:
        seen = 1
    return arrays, seen


def alarm_at_random_moments(fast, program, seconds, longest, count):
    states, end = eager_states(program)
    chance, until = random.Random(1), time.monotonic() + seconds
    hits = 0
    while time.monotonic() < until:
        arrays, seen = interrupted_run(fast, chance.uniform(1e-6, longest), count)
        assert key(arrays) in states, "a state that eager never passes through"
        assert seen == len(count), "the exception was lost or seen twice"
        assert seen or key(arrays) == end
        hits += seen
    return hits


@pytest.mark.parametrize("program", PROGRAMS)
def test_alarms_at_random_moments_in_compiled_code(program, raising):
    fast = optimised(program)
    for _ in range(5):
        fast(*fresh())
    assert alarm_at_random_moments(fast, program, 1.2, 3e-4, raising)
    arrays = fresh()
    fast(*arrays)
    assert key(arrays) == eager_states(program)[1]


@pytest.mark.parametrize("program", PROGRAMS)
def test_alarms_at_random_moments_of_the_first_calls(program, raising):
    """Recording, compiling and moving a frame are interrupted as well."""
    states, end = eager_states(program)
    chance = random.Random(2)
    for _ in range(60):
        fast = optimised(program)
        for _ in range(3):
            arrays, seen = interrupted_run(fast, chance.uniform(1e-5, 1.5e-2), raising)
            assert key(arrays) in states
            assert seen == len(raising)
            assert seen or key(arrays) == end
        signal.setitimer(signal.ITIMER_REAL, 0)
        arrays = fresh()
        fast(*arrays)
        assert key(arrays) == end


# CPython reports, and does not raise, one that comes while it runs the callback of a weak reference.
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
@pytest.mark.parametrize("program", PROGRAMS)
def test_asynchronous_exceptions_from_another_thread(program):
    fast = optimised(program)
    for _ in range(5):
        fast(*fresh())
    states, end = eager_states(program)
    target, stop = threading.get_ident(), threading.Event()
    armed = threading.Event()

    def shoot():
        chance = random.Random(3)
        while not stop.is_set():
            if armed.wait(0.01):
                armed.clear()
                time.sleep(chance.uniform(0, 2e-4))
                ctypes.pythonapi.PyThreadState_SetAsyncExc(
                    ctypes.c_ulong(target), ctypes.py_object(Interrupted)
                )

    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-5)
    thread = threading.Thread(target=shoot, daemon=True)
    thread.start()
    hits, until = 0, time.monotonic() + 1.2
    try:
        while time.monotonic() < until:
            arrays, finished = fresh(), False
            try:
                armed.set()
                for _ in range(20):
                    fresh_pair = fresh()
                    arrays = fresh_pair
                    fast(*fresh_pair)
                finished = True
                time.sleep(0.02)
            except Interrupted:
                hits += 1
            assert key(arrays) in states
            assert not finished or key(arrays) == end
    finally:
        try:
            stop.set()
            thread.join()
            time.sleep(0.01)
        except Interrupted:
            thread.join()
        sys.setswitchinterval(interval)
    assert hits


@pytest.mark.parametrize("program", PROGRAMS)
@pytest.mark.parametrize("delivery", ["signal", "asynchronous exception"])
def test_an_interrupt_inside_each_run_of_a_region(program, delivery, monkeypatch, raising):
    """The n-th region run of the call is interrupted, for every n."""
    states, end = eager_states(program)
    left = [-1]

    def interrupt(region):
        left[0] -= 1
        if left[0] == 0:
            if delivery == "signal":
                signal.raise_signal(signal.SIGALRM)
            else:
                ctypes.pythonapi.PyThreadState_SetAsyncExc(
                    ctypes.c_ulong(threading.get_ident()), ctypes.py_object(Interrupted)
                )
        return False

    monkeypatch.setattr(faults, "force_deopt", interrupt)
    fast = optimised(program)
    for _ in range(4):
        fast(*fresh())
    for number in range(1, 40):
        arrays, seen = fresh(), 0
        left[0] = number
        try:
            fast(*arrays)
        except Interrupted:
            seen = 1
        assert key(arrays) in states
        assert seen == (left[0] <= 0), "the exception was lost"
        if not seen:
            assert key(arrays) == end
            break
    assert number > 1


def test_a_signal_from_a_floating_point_callback(raising):
    def callback(kind, flag):
        signal.raise_signal(signal.SIGALRM)

    def program(a, b):
        a += 1
        with np.errstate(divide="call", call=callback):
            b /= a * 0
        a += 1
        return a

    fast = optimised(program)
    for _ in range(4):
        arrays = fresh()
        with pytest.raises(Interrupted):
            fast(*arrays)
        assert np.array_equal(arrays[0], np.arange(5.0) + 1)
    assert len(raising) == 1 or raising


def test_a_handler_that_returns_lets_the_call_finish():
    ticks = []
    before = signal.signal(signal.SIGALRM, lambda number, frame: ticks.append(1))
    try:
        fast = optimised(looping)
        _, end = eager_states(looping)
        signal.setitimer(signal.ITIMER_REAL, 1e-4, 1e-4)
        until = time.monotonic() + 0.5
        while time.monotonic() < until:
            arrays = fresh()
            fast(*arrays)
            assert key(arrays) == end
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
    assert ticks
