"""The peers' protocol, on made-up peers, and what can be known of real ones without them."""

import math

import numpy as np
import pytest

from bench.catalogue import WORKLOADS
from bench.peers import known
from bench.peers.child import measure_in_child
from bench.peers.numba_peer import called_functions
from bench.peers.numexpr_peer import FUNCTIONS, one_expression
from bench.peers.protocol import Refused
from bench.peers.run import measure_peer
from bench.timing import Effort
from bench.workload import Case

EFFORT = Effort(seconds=0.001, sample=1e-6, fewest=2, most=2)


def named(name):
    return next(workload for workload in WORKLOADS if workload.name == name)


class Peer:
    """Runs the function itself, and lists as its arrays' form."""

    name = "made-up"

    def version(self):
        return "1"

    def prepare(self, function):
        self.given = function
        return lambda *arguments: list(function(*arguments))

    def as_numpy(self, result):
        return np.array(result)


class Wrong(Peer):
    def as_numpy(self, result):
        return 2.0 * np.array(result)


class Strict(Peer):
    def prepare(self, function):
        raise Refused("no loops, please")


class Late(Peer):
    def prepare(self, function):
        def call(*arguments):
            raise TypeError("Failed here\n\n  because of that\n  and more")

        return call


def measured(peer, name="chain_5", size=10):
    return measure_peer(peer, Case(named(name), size), EFFORT)


def test_a_peer_is_timed_and_compared():
    found = measured(Peer())
    assert (found.name, found.failure, found.distance) == ("made-up", "", 0.0)
    assert found.seconds > 0.0 and found.ratio > 0.0 and found.first > 0.0
    assert found.versus > 0.0


def test_a_peer_gets_a_copy_of_the_source_that_is_its_own():
    peer = Peer()
    measured(peer)
    assert peer.given.__code__.co_code == named("chain_5").function.__code__.co_code
    assert peer.given.__globals__ is not named("chain_5").function.__globals__


def test_other_numbers_are_told():
    assert measured(Wrong()).distance == pytest.approx(1.0)


def test_a_refusal_is_told_in_the_peers_words():
    found = measured(Strict())
    assert found.failure == "no loops, please" and found.refused and math.isnan(found.ratio)


def test_a_failure_of_the_first_call_is_told_with_its_kind():
    assert measured(Late()).failure == "TypeError: Failed here because of that"


def test_mutated_arguments_are_compared():
    class Forgetful(Peer):
        def prepare(self, function):
            return lambda *arguments: function(*[item.copy() for item in arguments])

        def as_numpy(self, result):
            return result

    assert measured(Forgetful(), "lu", 6).distance > 0.0


def test_every_known_peer_is_listed_with_its_version_or_as_absent():
    peers, lines = known.present()
    assert len(lines) == len(known.KNOWN) >= 4
    assert len([line for line in lines if "not installed" in line]) == len(lines) - len(peers)


@pytest.mark.parametrize("peer", known.KNOWN, ids=lambda peer: peer.name)
def test_known_peers_keep_to_the_protocol(peer):
    assert isinstance(peer.name, str) and peer.name
    assert peer.version() is None or isinstance(peer.version(), str)
    assert callable(peer.prepare) and callable(peer.as_numpy)


@pytest.mark.parametrize("name", ["chain_5", "exp_sin_log1p", "piecewise"])
def test_functions_of_one_expression_become_one(name):
    workload = named(name)
    namespace = {text: getattr(np, text) for text in FUNCTIONS}
    arguments = workload.make(20)
    names = workload.function.__code__.co_varnames
    result = eval(one_expression(workload.function), namespace, dict(zip(names, arguments)))
    assert np.array_equal(result, workload.function(*arguments))


@pytest.mark.parametrize(
    "name, word",
    [
        ("black_scholes", "cumulative_normal(d1)"),
        ("log_sum_exp", "np.max(x)"),
        ("jacobi_1d", "for _ in range(steps):"),
        ("momentum_step", "velocity *= decay"),
        ("rosenbrock", "np.sum"),
    ],
)
def test_functions_of_more_than_an_expression_are_refused_with_the_place(name, word):
    with pytest.raises(Refused, match="line") as found:
        one_expression(named(name).function)
    assert word in str(found.value)


def test_called_functions_are_found_through_each_other():
    assert sorted(called_functions(named("gray_scott").function)) == ["laplacian"]
    assert list(called_functions(named("chain_5").function)) == []


def in_child(peer, name="jacobi_1d", size=5, patience=60.0):
    return measure_in_child(peer, Case(named(name), size), EFFORT, "default", patience)


def test_a_child_hands_back_what_the_peer_said():
    found = in_child("numexpr")
    assert found.name == "numexpr"
    assert found.failure.startswith("it takes one expression") and "line 2" in found.failure


def test_a_child_that_takes_too_long_is_ended():
    found = in_child("numexpr", patience=0.01)
    assert (found.failure, found.refused) == ("not done after 0.01 s", False)


def test_a_child_that_crashes_is_told_with_its_last_words():
    assert in_child("abacus").failure == "the process ended with 1: KeyError: 'abacus'"
