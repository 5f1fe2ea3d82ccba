"""Regions compared with the original instructions, under a clock of the test's own."""

import itertools
import random
import threading

import numpy as np
import pytest

from dyntrace.runtime import trial as python_trial
from dyntrace.runtime.causes import Cause
from tests.runtime.conftest import NATIVE

ANY = ("argument", 0, None, "none", None, None)
SMALL, LARGE = np.zeros(8), np.zeros(1 << 18)


class Clock:
    def __init__(self):
        self.time = 1000

    def __call__(self):
        return self.time


@pytest.fixture
def clock(runtime):
    found = Clock()
    set_clock = NATIVE.set_clock if runtime is NATIVE else python_trial.set_clock
    set_clock(found)
    yield found
    set_clock(None)


class Site:
    """What compiled code does with a region and its marker; `cost` gives the two times of a call."""

    def __init__(self, runtime, clock, cost):
        self.clock, self.cost = clock, cost
        self.region = runtime.Region([((ANY,), (0,), self.run, False)])
        self.region.deopt_limit = 3
        self.region.measure()
        self.ran = []

    def run(self, value):
        self.clock.time += self.cost(value)[0]
        return (value,)

    def call(self, value, reaches_the_end=True):
        answer = self.region.handle(value)
        if answer is None and not self.region.retired:
            self.clock.time += self.cost(value)[1]
            if reaches_the_end:
                self.region.marker()
        self.ran.append(answer is not None)

    def calls(self, value, count):
        del self.ran[:]
        for _ in range(count):
            self.call(value)
        return self.ran


def test_faster_region_is_kept_after_few_calls(runtime, clock):
    site = Site(runtime, clock, lambda value: (1000, 2000))
    ran = site.calls(LARGE, 40)
    assert ran[:6] == [True, True, True, False, False, True]
    assert all(ran[18:])
    assert not site.region.retired
    assert site.region.skips == ran.count(False) == 8
    assert site.region.deopts == 0


def test_slower_region_is_retired_with_large_inputs(runtime, clock):
    site = Site(runtime, clock, lambda value: (2000, 1000))
    told = []
    site.region.on_retire = told.append
    ran = site.calls(LARGE, 60)
    assert site.region.retired
    assert site.region.cause == Cause.SLOWER
    assert told == [site.region]
    assert not any(ran[23:])


def test_little_slower_region_is_retired_after_more_calls(runtime, clock):
    site = Site(runtime, clock, lambda value: (10500, 10000))
    site.calls(LARGE, 2 + 4 + 8 * 4 - 1)
    assert not site.region.retired
    site.calls(LARGE, 1)
    assert site.region.retired


def test_region_within_two_per_cent_is_kept(runtime, clock):
    site = Site(runtime, clock, lambda value: (10100, 10000))
    site.calls(LARGE, 100)
    assert not site.region.retired
    assert all(site.calls(LARGE, 100))


def test_slower_region_is_retired_where_it_has_no_arrays(runtime, clock):
    site = Site(runtime, clock, lambda value: (2000, 1000))
    site.calls(3.0, 60)
    assert site.region.retired


def test_small_inputs_are_left_to_the_original_and_large_ones_are_not(runtime, clock):
    site = Site(runtime, clock, lambda value: (2000, 1000) if value is SMALL else (1000, 2000))
    site.calls(SMALL, 60)
    assert not any(site.calls(SMALL, 500))
    assert not site.region.retired
    site.calls(LARGE, 60)
    assert all(site.calls(LARGE, 60))
    assert not any(site.calls(SMALL, 60))
    assert not site.region.retired


def test_sizes_that_come_later_are_compared_too(runtime, clock):
    site = Site(runtime, clock, lambda value: (2000, 1000) if value is LARGE else (1000, 2000))
    site.calls(SMALL, 60)
    site.calls(LARGE, 256 + 60)
    assert not any(site.calls(LARGE, 60))
    assert all(site.calls(SMALL, 60))


def test_region_is_retired_once_large_inputs_lose_as_well(runtime, clock):
    site = Site(runtime, clock, lambda value: (2000, 1000))
    site.calls(SMALL, 60)
    assert not site.region.retired
    site.calls(LARGE, 60)
    assert site.region.retired


def test_growing_inputs_are_compared_fairly(runtime, clock):
    arrays = [np.zeros(1 << 18)[:n] for n in range(140_000, 180_000, 400)]
    site = Site(runtime, clock, lambda value: (value.size * 101, value.size * 100))
    for array in arrays:
        site.call(array)
    assert not site.region.retired
    assert 8 <= site.region.skips <= 18


def test_noise_does_not_decide(runtime, clock):
    chance = random.Random(1)

    def cost(value):
        noise = [chance.random() < 0.1 and 50_000 for _ in range(2)]
        return 9000 + noise[0], 10_000 + noise[1]

    for _ in range(30):
        site = Site(runtime, clock, cost)
        site.calls(LARGE, 60)
        assert not site.region.retired


def test_long_runs_need_one_comparison(runtime, clock):
    site = Site(runtime, clock, lambda value: (10**9, 2 * 10**9))
    assert site.calls(LARGE, 20).count(False) == 2


def test_one_call_while_another_program_had_the_cpu_decides_nothing(runtime, clock):
    calls = itertools.count()

    def cost(value):
        return 3_000_000, 60_000_000 if next(calls) % 5 == 4 else 2_000_000

    site = Site(runtime, clock, cost)
    site.calls(LARGE, 8)
    assert site.calls(LARGE, 40).count(False) > 8


def test_ends_that_are_not_reached_are_dropped(runtime, clock):
    site = Site(runtime, clock, lambda value: (2000, 1000))
    for _ in range(400):
        site.call(LARGE, reaches_the_end=False)
    assert not site.region.retired
    assert all(site.calls(LARGE, 20))


def test_failures_are_counted_and_not_compared(runtime, clock):
    site = Site(runtime, clock, lambda value: (1000, 2000))
    site.calls(LARGE, 100)
    assert site.region.deopts == 0
    failing = runtime.Region([((ANY,), (0,), lambda value: None, False)])
    failing.deopt_limit = 3
    failing.measure()
    for _ in range(3):
        failing.handle(LARGE)
    assert failing.retired
    assert failing.cause == Cause.DECLINED


def test_another_threads_marker_is_not_taken_for_the_callers(runtime, clock):
    site = Site(runtime, clock, lambda value: (1000, 2000))
    site.calls(LARGE, 3)
    assert site.region.handle(LARGE) is None
    thread = threading.Thread(target=site.region.marker)
    thread.start()
    thread.join()
    clock.time += 2000
    site.region.marker()
    assert site.calls(LARGE, 2) == [False, True]


def test_call_inside_a_measured_call_drops_the_comparison(runtime, clock):
    site = Site(runtime, clock, lambda value: (1000, 2000))
    deeper = [3]

    def run(value):
        clock.time += 1000
        if deeper[0]:
            deeper[0] -= 1
            inner.handle(value)
        return (value,)

    inner = runtime.Region([((ANY,), (0,), run, False)])
    inner.measure()
    for _ in range(60):
        if inner.handle(LARGE) is None:
            clock.time += 2000
            inner.marker()
    assert not inner.retired
    assert site.region.skips == 0


def test_unmeasured_region_never_looks_at_the_clock(runtime):
    region = runtime.Region([((ANY,), (0,), lambda value: value, False)])
    assert all(region.handle(1) == 1 for _ in range(1000))
    region.marker()
    assert region.skips == 0


def test_marker_of_a_dead_region_does_nothing(runtime):
    marker = runtime.Region().marker
    assert marker() is None


def test_both_implementations_decide_alike(monkeypatch):
    if NATIVE is None:
        pytest.skip("the extension is not in use")
    from dyntrace.runtime import region as python

    for seed in range(40):
        histories = []
        for runtime, set_clock in ((python, python_trial.set_clock), (NATIVE, NATIVE.set_clock)):
            chance = random.Random(seed)
            speed, clock = chance.uniform(0.8, 1.3), Clock()
            set_clock(clock)
            cost = lambda value, chance=chance, speed=speed: (
                int(value.size * 100 * speed * chance.uniform(0.9, 1.1)),
                int(value.size * 100 * chance.uniform(0.9, 1.1)),
            )
            site = Site(runtime, clock, cost)
            for _ in range(300):
                size = chance.choice([8, 16, 20, 1000, 150_000, 160_000])
                site.call(LARGE[:size], reaches_the_end=chance.random() < 0.97)
            histories.append((site.ran, site.region.skips, site.region.cause, clock.time))
            set_clock(None)
        assert histories[0] == histories[1]
