"""Tracers, profilers and monitoring tools see the events of the plain function, all of them.

Each tool is switched on before the call or in the middle of it, before anything is compiled and
afterwards, for a function that is optimised and for one in `with optimize()`.
"""

from __future__ import annotations

import types

import numpy as np
import pytest

import dyntrace
from tests.scenarios.watched import PROGRAMS, during_pause, run
from tests.scenarios.watchers import WATCHERS

X = np.arange(1.0, 6.0)
ROUNDS = 3


def copy_of(program):
    """Another function, with code of its own."""
    return types.FunctionType(program.__code__.replace(), program.__globals__)


def seen_of_one_call(function, watcher, inside):
    if not inside:
        watcher.start()
    try:
        with during_pause(watcher.start if inside else lambda: None):
            run(function, X)
    finally:
        watcher.stop()
    return watcher.seen


def seen_of(function, watcher, inside, warm):
    """What tools see of some calls, of which each is followed by one that nobody watches."""
    for _ in range(warm):
        run(function, X)
    rounds = []
    for _ in range(ROUNDS):
        rounds.append(seen_of_one_call(function, watcher(), inside))
        run(function, X)
    return rounds


def without_ends_of_coroutines(rounds):
    """Leave out the StopIterations that an `await` meets."""
    return [[event for event in seen if event[-1] != "StopIteration"] for seen in rounds]


@pytest.mark.parametrize("inside", [False, True], ids=["before", "inside"])
@pytest.mark.parametrize("watcher", WATCHERS, ids=lambda watcher: watcher.__name__)
@pytest.mark.parametrize("program", PROGRAMS, ids=lambda program: program.__name__)
def test_tools_see_the_events_of_the_plain_function(program, watcher, inside):
    for warm in (0, 3):
        expected = seen_of(copy_of(program), watcher, inside, warm)
        assert all(expected) or (inside and watcher.__name__ != "Debugger")
        assert seen_of(dyntrace.optimize(copy_of(program)), watcher, inside, warm) == expected
        with dyntrace.optimize():
            hooked = seen_of(copy_of(program), watcher, inside, warm)
        dyntrace.reset()
        if inside:  # CPython reports them to tools while any hook is installed
            hooked, expected = map(without_ends_of_coroutines, (hooked, expected))
        assert hooked == expected
