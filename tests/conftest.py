"""What every test shares: a Hypothesis profile without chance, clocks or files."""

import os

from hypothesis import HealthCheck, settings

if os.environ.get("STANDIN"):
    import dyntrace

    dyntrace.optimize = lambda fn=None, **k: fn
    dyntrace.reset = lambda: None
    dyntrace.disable = lambda fn: fn
    dyntrace.graph_break = lambda: None
    from tests.differential import harness

    harness._require_captured = lambda *a: None
    harness._require_breaks = lambda *a: None
    harness.explanation = lambda *a, **k: None

settings.register_profile(
    "deterministic",
    derandomize=True,
    deadline=None,
    database=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
settings.load_profile("deterministic")
