"""`verify` on programs with state: no false alarm, one call's effects, and real faults still found."""

import collections
import functools
import itertools
import random
import time
import types
from multiprocessing import shared_memory

import numpy as np
import pytest

import dyntrace
from dyntrace.errors import StateWarning, VerificationError
from tests.verification import stateful_data, stateful_objects
from tests.verification.stateful import data
from tests.verification.stateful_data import scale

PROGRAMS = [*stateful_objects.PROGRAMS, *stateful_data.PROGRAMS]

# Without the native module a running frame keeps its code, so kinds are learnt call by call.
LEARNT = 6


def plain(value):
    """A value in a form that `==` compares."""
    if isinstance(value, np.ndarray):
        return value.tolist()
    if isinstance(value, (list, tuple, collections.deque)):
        return [plain(item) for item in value]
    if isinstance(value, dict):
        return {key: plain(item) for key, item in value.items()}
    return value


@pytest.mark.parametrize("build", PROGRAMS)
def test_a_program_with_state_passes_and_leaves_the_effects_of_one_call(build):
    np.random.seed(7), random.seed(7)
    once = build()
    expected = once.fn(*once.args, **once.kwargs)
    np.random.seed(7), random.seed(7)
    case = build()
    found = dyntrace.verify(case.fn)(*case.args, **case.kwargs)
    assert plain(found) == plain(expected)
    assert plain(case.look()) == plain(once.look())


@pytest.mark.parametrize("build", PROGRAMS)
def test_a_fault_in_a_program_with_state_is_found_and_leaves_no_effects(build, broken):
    case = build()
    before = plain(case.look())
    with pytest.raises(VerificationError, match="eager != optimised"):
        dyntrace.verify(case.fn, backend=broken, calls=LEARNT)(*case.args, **case.kwargs)
    assert plain(case.look()) == before


# files, shared memory: need a place of their own ---------------------------------------------------


def test_a_file_is_written_once_and_read_from_where_it_stood(tmp_path):
    written, read = tmp_path / "written", tmp_path / "read"
    read.write_text("1\n2\n3\n")

    def step(source, target, a):
        n = float(next(source)) + float(source.readline())
        target.write(f"{n}\n")
        return a * n + 1

    with open(read) as source, open(written, "w") as target:
        assert np.array_equal(dyntrace.verify(step)(source, target, data()), data() * 3 + 1)
    assert written.read_text() == "3.0\n"


def test_shared_memory_and_a_file_map_are_put_back(tmp_path, broken):
    block = shared_memory.SharedMemory(create=True, size=96)
    file_map = np.memmap(tmp_path / "map", dtype=float, mode="w+", shape=12)
    try:
        shared = np.ndarray(12, float, block.buf)
        for a in (shared, np.asarray(file_map)):
            a[:] = data()
            assert np.array_equal(dyntrace.verify(scale)(a), data() * 2 + 1)
            assert np.array_equal(a, data() * 2)
            with pytest.raises(VerificationError):
                dyntrace.verify(scale, backend=broken)(a)
            assert np.array_equal(a, data() * 2)
        del shared, a
    finally:
        block.close()
        block.unlink()


# state that cannot be put back ----------------------------------------------------------------------


def outside_a_clock(a, hidden):
    return a * 2 + 1, time.perf_counter_ns()


def outside_a_generator_in_a_tuple(a, hidden):
    return a * 2 + 1, list(hidden[0])


def outside_a_file_by_name(a, hidden):
    with open(hidden[1], "a") as file:
        file.write("x")
    with open(hidden[1]) as file:
        return a * 2 + 1, file.read()


def outside_an_alternating_state(a, hidden):
    return a * 2 + 1, next(hidden[2])


OUTSIDE = [
    outside_a_clock,
    outside_a_generator_in_a_tuple,
    outside_a_file_by_name,
    outside_an_alternating_state,
]


@pytest.fixture
def hidden(tmp_path):
    return (n for n in range(3)), str(tmp_path / "log"), itertools.cycle([0, 1])


@pytest.mark.parametrize("fn", OUTSIDE)
def test_state_that_cannot_be_put_back_is_told_and_not_laid_on_dyntrace(fn, hidden):
    with pytest.warns(StateWarning, match="state outside the arguments changed") as caught:
        found, _ = dyntrace.verify(fn)(data(), hidden)
    assert np.array_equal(found, data() * 2 + 1)
    assert caught[0].filename == __file__
    assert "result[0]" not in str(caught[0].message)


@pytest.mark.parametrize("fn", OUTSIDE)
def test_a_fault_beside_state_that_cannot_be_put_back_is_found(fn, hidden, broken):
    with pytest.raises(VerificationError) as caught:
        dyntrace.verify(fn, backend=broken, calls=LEARNT)(data(), hidden)
    assert "result[0]" in str(caught.value)
    assert "result[1]" not in str(caught.value)


def test_the_effects_of_the_last_run_stay_when_eager_runs_are_repeated():
    box = types.SimpleNamespace(count=0)

    def step(a):
        box.count += 1
        box.stamp = time.perf_counter_ns()
        return a * 2 + box.count

    with pytest.warns(StateWarning, match="stamp"):
        dyntrace.verify(step)(data())
    assert box.count == 1


def test_a_generator_argument_goes_on_after_the_items_that_one_call_takes():
    source = iter(range(10).__iter__())
    drawn = (n * 1.0 for n in range(10))

    def step(s, a):
        return a * next(s) + next(s)

    assert dyntrace.verify(step)(drawn, data()) is not None
    assert next(drawn) == 2.0
    assert dyntrace.verify(step)(source, data()) is not None
    assert next(source) == 2


def test_a_generator_that_raises_raises_in_each_run():
    def failing():
        yield 1.0
        raise ValueError("no more")

    def total(source, a):
        for n in source:
            a = a * 2 + n
        return a

    with pytest.raises(ValueError, match="no more"):
        dyntrace.verify(total)(failing(), data())


def test_values_can_be_sent_to_a_generator():
    def echo():
        said = 0.0
        while True:
            said = yield said * 2

    def talk(source, a):
        next(source)
        return a * source.send(3.0) + 1

    assert np.array_equal(dyntrace.verify(talk)(echo(), data()), data() * 6 + 1)
    started = echo()
    next(started)
    found = dyntrace.verify(lambda source, a: a * source.send(2.0) + 1)(started, data())
    assert np.array_equal(found, data() * 4 + 1)


def test_hits_of_a_filled_cache_and_appending_to_an_open_file_raise_no_alarm(tmp_path):
    @functools.lru_cache
    def weights(n):
        return np.arange(n) * 0.5

    weights(12)
    with open(tmp_path / "log", "a") as log:

        def step(a):
            log.write("seen")
            return a * weights(12) + 1

        assert np.array_equal(dyntrace.verify(step)(data()), data() * weights(12) + 1)


def test_a_miss_of_a_filled_cache_is_told():
    @functools.lru_cache
    def weights(n):
        print("computed")
        return np.arange(n) * 0.5

    weights(3)
    with pytest.warns(StateWarning, match="not put back: .*weights[^@]*not compared: stdout"):
        found = dyntrace.verify(lambda a: a * weights(12) + 1)(data())
    assert np.array_equal(found, data() * np.arange(12) * 0.5 + 1)


def test_a_fault_that_shows_only_in_what_a_function_keeps_is_found(broken):
    def keep(a, seen=[]):
        seen[:] = [a * 2 + 1]

    def attribute(a):
        attribute.last = a * 2 + 1

    class Kept:
        def method(self, a):
            self.last = a * 2 + 1

    raw = bytearray(96)

    def memory(a, view):
        b = a * 2 + 1
        dyntrace.graph_break()
        np.frombuffer(view)[:] = b

    for fn in (keep, attribute, Kept().method, lambda a: memory(a, memoryview(raw))):
        with pytest.raises(VerificationError):
            dyntrace.verify(fn, backend=broken, calls=LEARNT)(data())
    assert keep.__defaults__ == ([],) and not vars(attribute) and raw == bytearray(96)
