"""Regions that rest: while the original instructions are faster, hardly a call is made."""

import itertools
import random
from types import SimpleNamespace

import numpy as np
import pytest

import dyntrace
from dyntrace import config
from dyntrace.errors import DyntraceWarning
from dyntrace.runtime import trial as python_trial
from dyntrace.runtime.causes import Cause
from dyntrace.runtime.handles import Handle, set_clock
from dyntrace.runtime.region import REST_AFTER, SAMPLED
from dyntrace.runtime.trial import HOLDS
from dyntrace.trace.marks import tag_of
from tests.runtime.conftest import NATIVE

ANY = ("argument", 0, None, "none", None, None)
SMALL, LARGE = np.zeros(8), np.zeros(1 << 18)
FASTER, SLOWER = (1000, 2000), (2000, 1000)


class Site:
    """What compiled code does with a region: asks the handle at rest, calls it, passes its marker.

    `cost` gives what a call takes as a region and as the original instructions.
    """

    def __init__(self, runtime, cost, sized=None):
        self.time, self.cost, self.called, self.told = 1000, cost, 0, []
        rest = () if sized is None else (sized,)
        self.region = runtime.Region([((ANY,), (0,), self.run, False, *rest)])
        self.region.measure()
        self.region.on_rest = lambda region: self.told.append(bool(region.resting))
        self.set_clock = NATIVE.set_clock if runtime is NATIVE else python_trial.set_clock
        self.set_clock(lambda: self.time)

    def run(self, value):
        self.time += self.cost(value)[0]
        return (value,)

    def call(self, value):
        answer = None
        if not self.region.retired and (not self.region.resting or self.region.handle):
            self.called += 1
            answer = self.region.handle(value)
        if answer is None:
            self.time += self.cost(value)[1]
            self.region.marker()
        return answer is not None

    def calls(self, value, count):
        """How many of the calls ran the region, and how many reached it."""
        self.called = 0
        return sum(self.call(value) for _ in range(count)), self.called


@pytest.fixture
def site(runtime):
    """Makes sites; the clock is put back afterwards."""
    made = []

    def make(cost, **options):
        made.append(Site(runtime, cost, **options))
        return made[-1]

    yield make
    for each in made:
        each.set_clock(None)


def by_size(value):
    return SLOWER if value is SMALL else FASTER


def test_region_rests_after_many_declined_calls_in_a_row(site):
    found = site(lambda value: SLOWER)
    found.calls(SMALL, 40 + REST_AFTER)
    assert found.told == [True] and found.region.resting and not found.region.retired
    ran, called = found.calls(SMALL, 10 * SAMPLED)
    assert (ran, called) == (0, 10)
    assert found.told == [True]


def test_inputs_that_are_not_slower_end_the_rest(site):
    found = site(by_size)
    found.calls(SMALL, 1000)
    assert found.region.resting
    found.calls(LARGE, SAMPLED + 60)
    assert found.told == [True, False]
    assert found.calls(LARGE, 1000) == (1000, 1000)


def test_inputs_of_a_kept_size_end_the_rest_at_once(site):
    found = site(by_size)
    for value in (LARGE, SMALL, LARGE):
        found.calls(value, 1000)
    assert found.told == [True, False]
    found.calls(SMALL, 1000)
    assert found.told == [True, False, True]


def test_region_that_is_called_for_now_and_then_does_not_rest(site):
    found = site(by_size)
    found.calls(SMALL, 60)
    found.calls(LARGE, 300)
    for _ in range(20):
        found.calls(SMALL, REST_AFTER - 10)
        assert found.calls(LARGE, 1) == (1, 1)
    assert found.told == []


def test_kept_verdict_is_looked_at_again(site):
    costs = [FASTER]
    found = site(lambda value: costs[0])
    found.calls(SMALL, 100)
    costs[0] = SLOWER
    ran, _ = found.calls(SMALL, 2 * HOLDS)
    assert HOLDS - 300 <= ran <= HOLDS + 300
    assert found.region.resting


def test_lost_verdict_is_looked_at_again(site):
    costs = [SLOWER]
    found = site(lambda value: costs[0])
    found.calls(SMALL, 1000)
    costs[0] = FASTER
    found.calls(SMALL, HOLDS * SAMPLED)
    assert found.told == [True, False]
    assert found.calls(SMALL, 100) == (100, 100)


def test_verdicts_that_are_confirmed_hold_longer(site):
    found = site(lambda value: FASTER)
    found.calls(SMALL, 15 * HOLDS)
    assert found.region.compared <= 4 * 8


def test_array_of_which_elements_are_touched_is_no_work(site):
    """However large it is, and though inputs of other sizes come: one verdict, for good."""
    found = site(lambda value: SLOWER, sized=())
    for value in (SMALL, LARGE) * 30:
        found.call(value)
    assert found.region.cause == Cause.SLOWER
    assert found.region.lost == (0,)


def test_arrays_in_attributes_have_sizes_too(runtime):
    holder = ("argument", 0, None, "none", None, None)
    field = ("attribute", 0, "x", "array", np.dtype(float), 1)
    region = runtime.Region([((holder, field), (1,), lambda x: (x,), False, (1,))])
    region.measure()
    times = itertools.cycle([0, 100, 100, 140, 140, 180, 180, 280])
    clock = NATIVE.set_clock if runtime is NATIVE else python_trial.set_clock
    clock(lambda: next(times))
    try:
        for _ in range(60):
            if region.handle(SimpleNamespace(x=SMALL)) is None:
                region.marker()
    finally:
        clock(None)
    assert not region.retired
    assert region.lost == (4,)


def test_misses_in_a_row_let_a_region_rest_and_a_hit_ends_it(runtime):
    """However often it has hit before, so that it is not retired."""
    region = runtime.Region([((("argument", 0, None, "exact", int, None),), (0,), bool, False)])
    told = []
    region.on_rest = lambda region: told.append(bool(region.resting))
    region.on_miss = lambda region, args: False
    for value, expected in ((1, []), ("a", [True]), (1, [True, False]), ("a", [True, False, True])):
        for _ in range(REST_AFTER):
            region.handle(value)
        assert told == expected


def test_learnt_misses_are_no_declined_calls(runtime):
    entries = [
        ((("argument", 0, None, "exact", kind, None),), (0,), id, False) for kind in (int, str)
    ]
    region = runtime.Region(entries[:1])
    region.on_miss = lambda region, args: region.add(entries[1]) is None
    for _ in range(2 * REST_AFTER):
        assert region.handle("a") is not None
        assert region.handle(1) is not None
    assert not region.resting and (region.misses, region.learnt) == (1, 1)


def test_handle_of_a_region_that_is_gone_wants_no_call(runtime):
    handle = runtime.Region().handle
    assert not handle
    assert not runtime.Handle()


@pytest.mark.parametrize(
    "sized, error", [([0], TypeError), ((1,), ValueError), ((-1,), ValueError), (("0",), TypeError)]
)
def test_malformed_sizes_are_refused(runtime, sized, error):
    with pytest.raises(error):
        runtime.Region([((ANY,), (0,), bool, False, sized)])


def test_failing_on_rest_is_reported_and_changes_nothing(site, generated, lenient):
    found = site(lambda value: SLOWER)
    found.region.on_rest = generated("def run(region): raise ValueError")
    with pytest.warns(DyntraceWarning, match="ValueError"):
        found.calls(SMALL, 1000)
    assert found.region.resting


def test_interrupt_in_on_rest_propagates(site, generated):
    found = site(lambda value: SLOWER)
    found.region.on_rest = generated("def run(region): raise KeyboardInterrupt")
    with pytest.raises(KeyboardInterrupt):
        found.calls(SMALL, 1000)
    assert found.calls(SMALL, SAMPLED)[0] == 0


def test_both_implementations_rest_alike():
    if NATIVE is None:
        pytest.skip("the extension is not in use")
    from dyntrace.runtime import region as python

    for seed in range(12):
        histories = []
        for runtime in (python, NATIVE):
            chance = random.Random(seed)
            found = Site(runtime, lambda value: SLOWER if value.size < 500 else FASTER)
            ran = []
            for _ in range(12):
                array = LARGE[: chance.choice([8, 16, 1000, 150_000])]
                ran += [found.call(array) for _ in range(chance.choice([5, 300, 3000]))]
            found.set_clock(None)
            histories.append((ran, found.told, found.called, found.region.skips, found.time))
        assert histories[0] == histories[1]


# Code --------------------------------------------------------------------------------------------
# Read before and after a region, and before, at the start of and after the original instructions.
SLOW_CLOCK = [0, 900, 1000, 1100, 1200, 1300, 1400, 1500, 1600, 2500]
FAST_CLOCK = [0, 100, 1000, 1100, 2000, 2100, 2200, 3100, 3200, 3300]


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


A = np.arange(1.0, 6.0)


def test_loop_of_which_the_region_rests_hardly_calls_it(measured):
    measured(SLOW_CLOCK)
    fast = dyntrace.optimize(steps)
    for _ in range(3):
        fast(A, A, 400)
    (known,) = tag_of(fast).compiled.used()
    assert known.region.resting
    before = known.region.calls
    found, wanted = fast(A, A, 20 * SAMPLED), steps(A, A, 20 * SAMPLED)
    assert all(map(np.array_equal, found, wanted))
    assert known.region.calls - before <= 21
    assert not dyntrace.stats(fast).retired


@pytest.mark.skipif(NATIVE is None, reason="frames are not moved without the extension")
def test_loop_that_runs_comes_to_rest(measured):
    measured(SLOW_CLOCK)
    fast = dyntrace.optimize(steps)
    fast(A, A, 100 * SAMPLED)
    (known,) = tag_of(fast).compiled.used()
    assert known.region.calls <= 2 * REST_AFTER + 100


def test_region_at_rest_is_called_again_when_arrays_have_grown(measured):
    measured(SLOW_CLOCK)
    fast = dyntrace.optimize(steps)
    for _ in range(3):
        fast(A, A, 400)
    (known,) = tag_of(fast).compiled.used()
    assert known.region.resting
    measured(FAST_CLOCK)
    large = np.linspace(0.0, 1.0, 5000)
    for _ in range(2):
        fast(large, large, 2 * SAMPLED)
    assert not known.region.resting
    before = known.region.calls
    found, wanted = fast(large, large, 50), steps(large, large, 50)
    assert all(map(np.array_equal, found, wanted))
    assert known.region.calls - before == 50


def test_newer_versions_have_the_region_at_rest_too(measured):
    measured(SLOW_CLOCK)
    fast = dyntrace.optimize(steps)
    for _ in range(3):
        fast(A, A, 400)
    compiled = tag_of(fast).compiled
    compiled.compile()
    (known,) = compiled.used()
    before = known.region.calls
    fast(A, A, 10 * SAMPLED)
    assert known.region.calls - before <= 11


def test_version_for_other_kinds_at_the_same_place_rests(measured):
    """Calls come to it first, and it has no entry for them."""

    def program(a, n):
        for _ in range(n):
            b = a * 2.0
            c = b + a
        return c

    measured(FAST_CLOCK)
    fast = dyntrace.optimize(program)
    for _ in range(3):
        fast(A, 300)
    ints = np.arange(5)
    for _ in range(3):
        assert np.array_equal(fast(np.float64(2.0), 400), program(np.float64(2.0), 400))
        assert np.array_equal(fast(ints, 400), program(ints, 400))
    compiled = tag_of(fast).compiled
    before = sum(known.region.misses for known in compiled.used())
    fast(ints, 20 * SAMPLED)
    assert sum(known.region.misses for known in compiled.used()) - before <= 2 * 21


def helper(a):
    for _ in range(3):
        a = a * 0.5 + a[::-1]
        if a[0] > 1e9:
            break
    return a


def calling(a, n):
    for _ in range(n):
        a = helper(a)
    return a


def test_calls_by_twins_are_not_measured(measured):
    """What they gain is gained in the callee."""
    measured(SLOW_CLOCK)
    fast = dyntrace.optimize(calling)
    for _ in range(3):
        assert np.array_equal(fast(A, 100), calling(A, 100))
    compiled = tag_of(fast).compiled
    (known,) = compiled.used()
    assert not known.region.retired
    handles = [each for each in fast.__code__.co_consts if isinstance(each, Handle)]
    assert known.region.marker not in handles
