"""Pairs and their statistics, on a clock that only the functions move."""

import math

import numpy as np
import pytest

from bench import timing
from bench.timing import Effort, Pairs, Supply, calibrated, middle, quartiles, timed_pairs
from tests.bench.synthetic import case, fill


@pytest.fixture
def clock(monkeypatch):
    """Seconds so far; functions made by `lasting` add to it."""
    now = [0.0]
    monkeypatch.setattr(timing, "perf_counter", lambda: now[0])
    return now


def lasting(seconds, clock, log=None):
    def function(*arguments):
        clock[0] += seconds
        if log is not None:
            log.append(seconds)

    return function


def test_loops_double_until_a_value_lasts_long_enough(clock):
    loops, seconds = calibrated(lasting(0.001, clock), Supply(case()), 0.01)
    assert (loops, round(seconds, 6)) == (16, 0.016)


def test_a_long_call_is_not_looped(clock):
    assert calibrated(lasting(2.0, clock), Supply(case()), 0.01) == (1, 2.0)


def test_values_are_seconds_per_call_and_ratios_go_by_pair(clock):
    effort = Effort(seconds=1.0, sample=0.01)
    pairs = timed_pairs(lasting(0.002, clock), lasting(0.001, clock), case(), effort)
    assert len(pairs.first) == len(pairs.second) >= effort.fewest
    assert all(math.isclose(value, 2.0) for value in pairs.ratios())
    assert math.isclose(middle(pairs.first), 0.002) and pairs.loops == 8


def test_which_function_goes_first_alternates(clock):
    log = []
    effort = Effort(seconds=1.0, sample=1.0, fewest=4, most=4)
    timed_pairs(lasting(1.0, clock, log), lasting(2.0, clock, log), case(), effort)
    assert log[-8:] == [2.0, 1.0, 1.0, 2.0, 2.0, 1.0, 1.0, 2.0]


def test_the_number_of_pairs_keeps_to_the_effort(clock):
    few = timed_pairs(lasting(9.0, clock), lasting(9.0, clock), case(), Effort(1.0, fewest=3))
    many = timed_pairs(lasting(1e-4, clock), lasting(1e-4, clock), case(), Effort(1.0, most=7))
    assert (len(few.first), len(many.first)) == (3, 7)


def test_mutated_arguments_are_new_for_each_call():
    supply = Supply(case(fill, mutates=True))
    first, second = supply.calls(2)
    fill(*first)
    assert not first[0].any() and second[0].all()
    (third,) = supply.calls(1)
    assert third[0].all()


def test_copies_keep_the_layout():
    turned = np.ones((2, 3)).T
    ((array, number),) = Supply(case(fill, lambda size: (turned, 7), mutates=True)).calls(1)
    assert array.strides == turned.strides and array is not turned and number == 7


def test_copies_made_in_advance_stay_within_memory():
    large = case(fill, lambda size: (np.ones(size),), size=timing.PREPARED // 16, mutates=True)
    assert Supply(large).most() == 2
    assert Supply(case(fill, mutates=True)).most() == timing.MOST_PREPARED


def test_the_collector_is_as_before(clock):
    import gc

    assert gc.isenabled()
    timed_pairs(lasting(1.0, clock), lasting(1.0, clock), case(), Effort(1.0))
    assert gc.isenabled()


def test_quartiles_of_little():
    assert quartiles([2.0]) == (2.0, 2.0)
    assert all(map(math.isnan, quartiles([])))
    assert quartiles([1.0, 2.0, 3.0, 4.0, 5.0]) == (2.0, 4.0)


def test_pairs_add_up():
    both = Pairs([1.0], [2.0], 3) + Pairs([3.0], [3.0], 4)
    assert (both.ratios(), both.loops) == ([0.5, 1.0], 3)
