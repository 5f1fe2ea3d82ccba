"""What an optimised function calls is compiled when it is called again, or at once if it loops."""

import numpy as np
import pytest

import dyntrace
from dyntrace import config
from dyntrace.runtime.handles import NATIVE


@pytest.fixture(autouse=True)
def patient(monkeypatch):
    monkeypatch.setattr(config, "warm_at_once", False)


def clipped(u, log):
    v = u * 2.0 + 1.0
    if v.sum() > 0:
        log.append("positive")
    return np.sqrt(v * v)


def damped(u, steps):
    for _ in range(steps):
        u = u * 0.5 + 0.1
        if u.max() > 1e9:
            break
    return u


def once(u, log):
    return clipped(u, log) + 1.0


def looped(u):
    return damped(u, 20) * 2.0


def compiles(fast, name):
    all_compiled = fast.__dict__["__dyntrace__"].family.all_compiled()
    return next(
        (compiled.versions.compiles for compiled in all_compiled if compiled.name == name), None
    )


def test_callee_is_left_alone_at_its_first_call_and_compiled_at_the_next():
    fast, u = dyntrace.optimize(once), np.arange(5.0)
    expected = once(u, [])
    found = []
    for _ in range(4):
        assert fast(u, log := []).tobytes() == expected.tobytes() and log == ["positive"]
        found.append(compiles(fast, "clipped"))
    assert found[0] == 0 and found[-1] > 0
    assert dyntrace.stats(fast).graph_calls > 2


def test_callee_with_a_loop_is_compiled_at_its_first_call():
    fast, u = dyntrace.optimize(looped), np.arange(5.0)
    for _ in range(1 if NATIVE else 3):  # without C a caller goes on in new code at its next call
        assert fast(u).tobytes() == looped(u).tobytes()
    assert compiles(fast, "damped") > 0 and dyntrace.stats(fast).graph_calls > 10


def test_explanation_compiles_what_is_called_once():
    text = str(dyntrace.explain(once)(np.arange(5.0), []))
    assert "clipped" in text or "v * v" in text or "np.sqrt" in text
    fast = dyntrace.optimize(once)
    fast(np.arange(5.0), [])
    assert compiles(fast, "clipped") == 0
    dyntrace.explain(fast)(np.arange(5.0), [])
    assert compiles(fast, "clipped") > 0
