"""Loops that run long in machine code: interrupts are seen once and soon, other threads run on.

A pass stores its number in `marks` first and in `done` last, so a state that eager could be left in
is easily told: the passes are complete but for the last, which may be half done.
"""

import contextlib
import ctypes
import signal
import sys
import threading
import time

import numpy as np
import pytest

from tests.differential import optimised
from tests.scenarios.loops.hot import at_once

PASSES = 40_000_000
CELLS = 64


class Interrupted(BaseException):
    """Raised by what interrupts a loop here, and by nothing else."""


def marking(marks, done, passes):
    total = 0.0
    for i in range(passes):
        marks[i % 64] = i
        total += marks[i % 64] * 0.5
        done[i % 64] = i
    return total


def waiting(marks, done, passes):
    i = 0
    while i < passes:
        marks[i % 64] = i
        for j in range(3):
            done[i % 64] = i + j - 2
        i += 1
    return i


PROGRAMS = [marking, waiting]


@pytest.fixture(params=PROGRAMS)
def fast(request):
    """A program whose loop runs in machine code, with globals that say nothing to other tests."""
    program = optimised(request.param)
    with at_once():
        for _ in range(8):
            program(*fresh(), 500)
        yield program


def fresh():
    return np.full(CELLS, -1), np.full(CELLS, -1)


def assert_prefix(marks, done):
    """The state is one of eager's: after each pass before `last`, and some lines of that one."""
    last = int(marks.max())
    expected = np.maximum(np.arange(last - CELLS + 1, last + 1), -1)
    assert sorted(marks) == expected.tolist()
    behind = np.flatnonzero(marks != done)
    assert behind.size == 0 or behind.tolist() == [last % CELLS]
    assert last < PASSES - 1, "the loop was over before it was interrupted"


def alarmed(number, frame):
    raise Interrupted


@contextlib.contextmanager
def alarm_after(seconds):
    before = signal.signal(signal.SIGALRM, alarmed)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


@pytest.mark.skipif(not hasattr(signal, "setitimer"), reason="needs interval timers")
@pytest.mark.parametrize("delay", [0.003, 0.011, 0.04])
def test_a_handler_that_raises_ends_the_loop_at_a_state_of_eager(fast, delay):
    arrays = fresh()
    started = time.monotonic()
    with pytest.raises(Interrupted), alarm_after(delay):
        fast(*arrays, PASSES)
    assert time.monotonic() - started < delay + 2
    assert_prefix(*arrays)


def test_ctrl_c_ends_the_loop_at_a_state_of_eager(fast):
    arrays = fresh()
    main = threading.main_thread().ident
    timer = threading.Timer(0.02, lambda: signal.pthread_kill(main, signal.SIGINT))
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    timer.start()
    try:
        with pytest.raises(KeyboardInterrupt):
            fast(*arrays, PASSES)
    finally:
        timer.join()
        signal.signal(signal.SIGINT, before)
    assert_prefix(*arrays)


def test_an_asynchronous_exception_ends_the_loop_at_a_state_of_eager(fast):
    arrays, target = fresh(), threading.get_ident()

    def shoot():
        exception = ctypes.py_object(Interrupted)
        ctypes.pythonapi.PyThreadState_SetAsyncExc(ctypes.c_ulong(target), exception)

    timer = threading.Timer(0.02, shoot)
    timer.start()
    with pytest.raises(Interrupted):
        fast(*arrays, PASSES)
    timer.join()
    assert_prefix(*arrays)


def test_a_handler_that_returns_lets_the_loop_go_on(fast):
    ticks = []
    before = signal.signal(signal.SIGALRM, lambda number, frame: ticks.append(number))
    signal.setitimer(signal.ITIMER_REAL, 0.002, 0.002)
    arrays, passes = fresh(), 3_000_000
    try:
        fast(*arrays, passes)
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
    assert ticks
    assert sorted(arrays[0]) == list(range(passes - CELLS, passes)) == sorted(arrays[1])


def test_another_thread_counts_while_a_loop_runs(fast):
    counts, over = [0], threading.Event()

    def count():
        while not over.is_set():
            counts[0] += 1

    assert sys.getswitchinterval() == 0.005
    thread = threading.Thread(target=count)
    thread.start()
    before, started = counts[0], time.monotonic()
    try:
        fast(*fresh(), 4_000_000)
    finally:
        elapsed = time.monotonic() - started
        over.set()
        thread.join()
    assert elapsed < 0.02 or counts[0] > before


def test_eight_threads_in_one_hot_loop(fast):
    passes, results = 100_000, [None] * 8

    def call(number):
        arrays = fresh()
        results[number] = fast(*arrays, passes + number), sorted(arrays[0]), sorted(arrays[1])

    threads = [threading.Thread(target=call, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for number, (result, marks, done) in enumerate(results):
        count = passes + number
        assert result in (count, sum(range(count)) * 0.5)
        assert marks == done == list(range(count - CELLS, count))
