"""Measures one peer on one case, in interleaved pairs with eager and with the optimised function.

Invariant: whatever a peer raises becomes the text of its failure, and the benchmark goes on.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import Any

import dyntrace
from bench.bits import distance
from bench.peers.protocol import Peer, Refused
from bench.result import PeerResult
from bench.timing import Effort, middle, timed, timed_pairs
from bench.workload import Case

LONGEST = 200  # characters of a failure


def measure_peer(
    peer: Peer, case: Case, effort: Effort, optimise: Callable[[Any], Any] = dyntrace.optimize
) -> PeerResult:
    """Its median, its ratio to eager, how far its numbers are from eager's, its first call."""
    found = PeerResult(peer.name)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            _measure(peer, case, effort, found, optimise)
    except Exception as error:  # a compiler may fail in any way
        found.failure, found.refused = failure_text(error), True
    return found


def _measure(
    peer: Peer,
    case: Case,
    effort: Effort,
    found: PeerResult,
    optimise: Callable[[Any], Any],
) -> None:
    eager = case.workload.fresh()
    function = peer.prepare(case.workload.fresh())
    found.first = timed(function, [case.arguments()])
    found.distance = distance(outcome(eager, case), peer.as_numpy(outcome(function, case)))
    pairs = timed_pairs(eager, function, case, effort)
    found.seconds, found.ratio = middle(pairs.second), middle(pairs.ratios())
    optimised = optimise(case.workload.fresh())
    found.versus = middle(timed_pairs(function, optimised, case, effort).ratios())


def outcome(function: Any, case: Case) -> Any:
    """What a call returns; the mutated arguments if it is a function that mutates them."""
    arguments = case.arguments()
    result = function(*arguments)
    return (result, arguments) if case.workload.mutates else result


def failure_text(error: Exception) -> str:
    """The kind of the error and its first two lines that say something, in one."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    text = " ".join(lines[:2])
    kind = "" if isinstance(error, Refused) else f"{type(error).__name__}: "
    return f"{kind}{text}"[:LONGEST]
