"""One case measured: what a row holds, also where the function fails or is wrong."""

import math

import numpy as np
import pytest

from bench.catalogue import WORKLOADS
from bench.measure import Scope, compared, measure, measure_again
from bench.memory import LEAST, NoPeak, peak_in_child, peaks
from bench.result import PeerResult
from bench.timing import Effort
from bench.workload import Case

PLAN = Scope(Effort(seconds=0.001, sample=1e-6, fewest=2, most=2), memory=False)


def case(name, size):
    return Case(next(workload for workload in WORKLOADS if workload.name == name), size)


def test_a_row_holds_everything():
    result = measure(case("durbin", 8), PLAN)
    assert result.differences == [] and result.family == "rows"
    assert len(result.pairs.first) == len(result.pairs.second) == 2
    assert result.ratio > 0.0 and not math.isnan(result.first_call)
    assert 0.0 <= result.captured <= 1.0 and result.peaks is None


def test_a_function_that_raises_is_reported_and_not_timed():
    def broken(function):
        def call(*arguments):
            raise ValueError("not today")

        return call

    result = measure(case("chain_5", 4), Scope(PLAN.effort, memory=False, optimise=broken))
    assert result.differences == ["raised ValueError: not today"]
    assert math.isnan(result.ratio) and not result.reached


def test_wrong_bits_are_found_in_the_call_they_first_show_up():
    calls = []

    def late(x, y):
        calls.append(x)
        result = np.sqrt(x * y + 2.0) - x / y
        return result if len(calls) < 3 else result.astype(np.float32)

    eager = case("chain_5", 4).workload.fresh()
    found = compared(eager, late, case("chain_5", 4), 4)
    assert {line[:7] for line in found} == {"call 3:", "call 4:"}


def test_forgotten_mutations_are_found():
    def forgetful(a):
        return None

    eager = case("cholesky", 4).workload.fresh()
    (line,) = compared(eager, forgetful, case("cholesky", 4), 1)
    assert "arguments[0]" in line


def test_peers_come_with_the_row(monkeypatch):
    def asked(*arguments, backend):
        return PeerResult(arguments[0], failure=" ".join(map(str, (*arguments[3:], backend))))

    monkeypatch.setattr("bench.measure.measure_in_child", asked)
    plan = Scope(PLAN.effort, memory=False, peers=["swift"], patience=7.0, pages="pinned")
    (peer,) = measure(case("chain_5", 4), plan).peers
    assert (peer.name, peer.failure) == ("swift", "pinned 7.0 numpy")


def test_a_peer_is_measured_on_the_cases_with_a_goal_against_it():
    plan = Scope(peers=["swift"], rivals=["numba", "calm"])
    assert plan.peers_of(case("gauss_seidel", 400)) == ["swift", "numba"]
    assert plan.peers_of(case("gauss_seidel", 12)) == ["swift"]
    assert plan.peers_of(case("chain_5", 4)) == ["swift"]
    assert Scope().peers_of(case("gauss_seidel", 400)) == []


def test_measuring_again_takes_more_pairs():
    assert len(measure_again(case("chain_5", 4), PLAN).pairs.first) == 4


@pytest.mark.parametrize("way", ["eager", "optimised"])
def test_peak_memory_is_that_of_the_temporaries(way):
    table = 4_000 * 128 * 8
    peak = peak_in_child(case("row_distances", 4_000), way, timeout=60)
    assert peak < 4 * table
    assert peak > 1.8 * table or way == "optimised"  # which may need none


def test_a_child_that_fails_is_told_and_the_row_goes_on(monkeypatch):
    with pytest.raises(NoPeak, match="eager: the child process ended with 1: .*UnknownChoice"):
        peak_in_child(Case(WORKLOADS[0].__class__("absent", np.sin, lambda size: ()), 3), "eager")
    with pytest.raises(NoPeak, match="took over"):
        peak_in_child(case("chain_5", 4), "eager", timeout=0.001)

    def broken(case):
        raise NoPeak("not today")

    monkeypatch.setattr("bench.measure.peaks", broken)
    result = measure(case("chain_5", 4), Scope(PLAN.effort))
    assert result.notes == ["no peak memory: not today"] and result.peaks is None


def test_small_arrays_have_no_peak():
    small = case("chain_5", 10)
    assert sum(item.nbytes for item in small.arguments()) < LEAST
    assert peaks(small) is None
