"""When a case has regressed, on made-up figures."""

import math

import pytest

from bench.compare import ATTEMPTS, changes, comparison, mismatches
from bench.store import Saved
from tests.bench.synthetic import pairs, result, saved


def never(result):
    raise AssertionError(f"{result.case} was measured again")


def verdicts(found):
    return [(change.verdict, change.regressed) for change in found]


def test_a_small_loss_is_no_regression():
    found = changes([result("a", 1.85)], saved("a", 2.0), 0.1, never)
    assert verdicts(found) == [("as good", False)]


def test_a_gain_is_named():
    assert verdicts(changes([result("a", 3.0)], saved("a", 2.0), 0.1, never)) == [("faster", False)]


def test_a_loss_that_stays_is_a_regression():
    asked = []

    def again(one):
        asked.append(one.case)
        return result(one.case, 1.5, 1.5, 1.5)

    found = changes([result("a", 1.5)], saved("a", 2.0), 0.1, again)
    assert verdicts(found) == [("REGRESSION", True)]
    assert asked == ["a"] * ATTEMPTS
    assert found[0].change == -0.25


def test_a_loss_that_a_second_look_does_not_see_is_noise():
    found = changes([result("a", 1.0)], saved("a", 2.0), 0.1, lambda one: result("a", 2.0, 2.0))
    assert verdicts(found) == [("as good, measured 2 times", False)]


def test_one_slow_pair_among_many_decides_nothing():
    found = changes([result("a", 2.0, 0.1, 2.0)], saved("a", 2.0, 2.0, 9.0), 0.1, never)
    assert verdicts(found) == [("as good", False)]


def test_different_bits_are_a_regression_at_any_speed():
    wrong = result("a", 9.0, differences=["call 1: result: dtype"])
    assert verdicts(changes([wrong], saved("a", 2.0), 0.1, never)) == [("DIFFERS", True)]


def test_a_case_that_raised_is_a_regression():
    assert changes([result("a", differences=["raised"])], saved("a", 2.0), 0.1, never)[0].regressed


def test_a_case_that_was_not_saved_is_new():
    found = changes([result("b", 0.1)], saved("a", 2.0), 0.1, never)
    assert verdicts(found) == [("new", False)]
    assert math.isnan(found[0].before)


def test_the_table_shows_every_change_and_counts():
    before = saved("a", 2.0) | saved("b", 1.0) | saved("left", 1.0)
    found = changes([result("a", 1.0), result("b", 1.0)], before, 0.1, lambda one: one)
    head, first, second, count, left = comparison(found, before, 0.1).splitlines()
    assert head.split() == ["case", "before", "now", "change", "verdict"]
    assert first.split() == ["a", "2.00", "1.00", "-50.0", "%", "REGRESSION"]
    assert second.split()[-2:] == ["as", "good"]
    assert count == "1 of 2 cases regressed (limit 10 % of the ratio)"
    assert left == "1 saved cases were not run"


@pytest.mark.parametrize("now, lines", [("pinned", 0), ("default", 1)])
def test_runs_that_are_hard_to_compare_are_named(now, lines):
    before = {"a": Saved("a", pairs(1.0), {"dyntrace_allocator": "pinned"})}
    assert len(mismatches(before, {"dyntrace_allocator": now, "other": 1})) == lines
