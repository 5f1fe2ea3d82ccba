"""`reset()` while an optimised function runs: the frame goes on to its end, and nothing breaks."""

import sys
import threading
import time

import numpy as np
import pytest

import dyntrace
from dyntrace import config
from dyntrace.functions import recording
from dyntrace.trace.marks import tag_of

A = np.arange(5.0)


def from_itself(a):
    b = a * 2
    for i in range(4):
        b = b + i
        dyntrace.reset()
        b = b * 1.5 - 1
    return b


def callee():
    dyntrace.reset()
    return 1


def from_a_callee(a):
    total = 0
    for i in range(4):
        b = a * 2 + i
        total = total + b * callee()
        s = (b - 1).sum()
    return total + s


class Resetting:
    def __del__(self):
        dyntrace.reset()


def from_a_finaliser(a):
    b = a * 2
    Resetting()
    return b + 1


def steps(a):
    for i in range(5):
        b = a * 2 + i
        yield b
        yield (b + 1) * i


fast_steps = dyntrace.optimize(steps)


def half_way_in_a_generator(a):
    found = []
    for count, value in enumerate(fast_steps(a)):
        found.append(value)
        if count in (2, 5, 7):
            dyntrace.reset()
    return found


PROGRAMS = [from_itself, from_a_callee, from_a_finaliser, half_way_in_a_generator]


@pytest.mark.parametrize("program", PROGRAMS)
def test_a_function_that_is_reset_while_it_runs_goes_on(program):
    fast = dyntrace.optimize(program)
    for a in (A, A, A, A.astype("f4"), A.astype("i8"), A):
        assert np.array_equal(fast(a), program(a))
    assert dyntrace.stats(fast).internal_errors == 0


@pytest.mark.skipif(not config.native, reason="there is no hook")
def test_a_reset_inside_a_block_goes_on():
    def program(a):
        return from_itself(a) + from_a_callee(a)

    wanted = program(A)
    for _ in range(3):
        with dyntrace.optimize():
            first = program(A)
            dyntrace.reset()
            second = program(A)
        assert np.array_equal(first, wanted) and np.array_equal(second, wanted)


def is_third(i):
    return i % 3 == 0


def work(a):
    total = 0.0
    for i in range(20):
        b = a * 2 + i
        if is_third(i):
            b = b - 1
        total = total + b.sum()
    return total


def test_resets_by_another_thread_while_functions_run_change_nothing():
    fast, stop, wrong = dyntrace.optimize(work), threading.Event(), []
    inputs = [A, A.astype("f4"), A.astype("i8"), A[:3]]
    wanted = [work(a) for a in inputs]

    def run():
        while not stop.is_set() and not wrong:
            try:
                found = [fast(a) for a in inputs]
            except Exception as error:
                wrong.append(error)
            else:
                wrong.extend(pair for pair in zip(found, wanted) if pair[0] != pair[1])

    threads = [threading.Thread(target=run) for _ in range(2)]
    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-5)
    try:
        for thread in threads:
            thread.start()
        end = time.monotonic() + 2
        while time.monotonic() < end and not wrong:
            dyntrace.reset()
            time.sleep(0.002)
    finally:
        stop.set()
        for thread in threads:
            thread.join()
        sys.setswitchinterval(interval)
    assert not wrong


def resets_first(monkeypatch):
    """Have a reset come between a recorder's question whether to compile and the compilation."""
    may_compile, times = recording.may_compile, []

    def reset_once(compiled):
        if not times:
            times.append(compiled)
            compiled.reset()
        return may_compile(compiled)

    monkeypatch.setattr(recording, "may_compile", reset_once)
    return times


def without_known_arrays(a):
    return a * 2 + 1


def with_an_unknown_value(a):
    total = a * 2
    for value in map(np.asarray, [a, a, a, a]):
        total = total + value * 3
    return total


@pytest.mark.parametrize(
    ("program", "first"), [(without_known_arrays, 1), (with_an_unknown_value, A)]
)
def test_a_reset_just_before_a_compilation_starts_again(program, first, monkeypatch):
    fast = dyntrace.optimize(program)
    times = resets_first(monkeypatch)
    fast(first)
    for _ in range(6):
        assert np.array_equal(fast(A), program(A))
    assert times and tag_of(fast).compiled.plans()
    assert dyntrace.stats(fast).internal_errors == 0
