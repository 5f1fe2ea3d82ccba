"""Code whose next version the budget has no room for: frames pass its recorders by until there is."""

import sys

import numpy as np
import pytest

import dyntrace
from dyntrace import config
from dyntrace.budget import Budget
from dyntrace.functions.pacing import Silence
from tests.programs.serving import reach_now, region_calls, warm_running

pytestmark = pytest.mark.skipif(not config.sampler, reason="the sampler is native")


class Layer:
    def __init__(self, weights):
        self.weights = weights


@pytest.fixture
def limited():
    """A service whose budget is what a test says it is, and that budget."""
    from dyntrace.programs.serving import Service

    budget = Budget()
    budget.spent = -1e9
    made = Service("numpy", budget)
    yield made, budget
    made.close()


@pytest.fixture
def passes(monkeypatch):
    """How often recorders have been passed."""
    counted = [0]
    lasts = Silence.lasts

    def lasts_counted(silence):
        counted[0] += 1
        return lasts(silence)

    monkeypatch.setattr(Silence, "lasts", lasts_counted)
    return counted


def test_loop_passes_its_recorders_by_and_moves_on_when_there_is_room(limited, passes):
    service, budget = limited
    seen = {}

    def loop(layers, u, steps):
        for i in range(steps):
            if i == 3:
                warm_running(service, code, loop, globals())
                reach_now()
            elif i == 5:
                budget.spent = 1e9
            elif i == 20:
                seen["passed"], seen["calls"] = passes[0], region_calls(service)
            elif i == 420:
                seen["later"] = passes[0]
                budget.spent = -1e9
                running = sys._getframe().f_code
                seen["version"] = service.has_made(running)
                seen["goes on"] = service.go_on(running, globals())
            for layer in layers:
                u = np.sqrt(layer.weights * u * u + 1.0)
        return u

    code, layers = loop.__code__, [Layer(np.ones(4)), Layer(np.full(4, 0.5))]
    expected = np.ones(4)
    for _ in range(800):
        for layer in layers:
            expected = np.sqrt(layer.weights * expected * expected + 1.0)
    result = loop(layers, np.ones(4), 800)
    assert result.tobytes() == expected.tobytes()
    (compiled,) = service.family.all_compiled()
    assert seen["version"] and seen["goes on"] is True and not compiled.pace.waits
    assert seen["later"] - seen["passed"] <= 2  # those of 400 passes of the loop
    assert region_calls(service) - seen["calls"] > 300


def test_version_without_regions_is_no_code_of_the_users(limited):
    service, _ = limited
    versions = set()

    def count(words, steps):
        found = 0
        for i in range(steps):
            if i == 3:
                warm_running(service, code, count, globals())
                reach_now()
            for word in words:
                found += len(word)
            versions.add(sys._getframe().f_code)
        return found

    code = count.__code__
    assert count(["one", "three"], 40) == 320
    others = versions - {code}
    assert others and all(service.has_made(version) for version in others)
    assert not service.has_made(code) and len(list(service.family.all_compiled())) == 1


def test_function_without_room_keeps_the_regions_it_has(limited):
    service, budget = limited

    def step(layers, u):
        v = u * 2.0 + 1.0
        for layer in layers:
            v = layer.weights * v + u
        return v

    original, layers = step.__code__, [Layer(np.ones(4)), Layer(np.ones(4))]
    expected = step(layers, np.ones(4)).tobytes()
    service.warm(original, step, globals())
    while not region_calls(service):
        assert step(layers, np.ones(4)).tobytes() == expected
    budget.spent = 1e9
    calls = region_calls(service)
    for _ in range(50):
        assert step(layers, np.ones(4)).tobytes() == expected
    assert region_calls(service) - calls >= 40
    budget.spent = -1e9
    (compiled,) = service.family.all_compiled()
    if compiled.pace.waits:
        assert service.go_on(step.__code__, globals()) is True
    for _ in range(8):
        assert step(layers, np.ones(4)).tobytes() == expected
    assert not compiled.pace.waits


def test_each_refusal_has_the_code_found_warm_again(limited):
    """The sampler's estimate may have room where the unit's own does not, several times over."""
    service, budget = limited
    waits = []

    def loop(layers, u, steps):
        for i in range(steps):
            if i in (3, 10, 20):
                budget.spent = 1e9
                warm_running(service, code, loop, globals())
                reach_now()
            elif i in (6, 13, 23):
                (compiled,) = service.family.all_compiled()
                assert compiled.pace.waits
                compiled.pace.on_wait = lambda: waits.append(i)
            for layer in layers:
                u = np.sqrt(layer.weights * u * u + 1.0)
        return u

    code = loop.__code__
    loop([Layer(np.ones(4))], np.ones(4), 40)
    assert len(waits) == 2


def test_what_the_program_has_optimised_itself_is_left_to_it(limited):
    service, _ = limited

    @dyntrace.optimize
    def step(u):
        return np.sqrt(u * u + 1.0)

    for _ in range(3):
        step(np.ones(4))
    assert service.has_made(step.__code__)
    assert service.go_on(step.__code__, globals()) is False
