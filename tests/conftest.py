"""What every test shares: strict mode, and a Hypothesis profile without chance, clocks or files."""

import os

os.environ.setdefault("DYNTRACE_STRICT", "1")  # internal errors raise, graphs are verified
os.environ.setdefault("DYNTRACE_WARM", "0")  # nothing escapes the tests because it is cold
os.environ.setdefault("DYNTRACE_MEASURE", "0")  # what runs where must not depend on the clock
os.environ.setdefault("DYNTRACE_CACHE", "0")  # nor on what earlier runs have left on disk

import pytest  # noqa: E402
from hypothesis import HealthCheck, settings  # noqa: E402

from dyntrace import config, incidents  # noqa: E402
from tests.differential import harness  # noqa: E402

settings.register_profile(
    "deterministic",
    derandomize=True,
    deadline=None,
    database=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
settings.load_profile("deterministic")


@pytest.fixture
def strict(monkeypatch):
    """Errors of dyntrace's own are raised, whatever the environment says; the session forgets them."""
    monkeypatch.setattr(config, "strict", True)
    monkeypatch.setattr(incidents, "_noted", incidents.Incidents())


@pytest.fixture
def without_loops(monkeypatch):
    """Loops have no machine code and no stubs: for tests of what becomes of regions."""
    monkeypatch.setattr(config, "jit", False)


@pytest.fixture
def lenient(strict, monkeypatch):
    """As users run it: errors are contained, and none has been reported yet."""
    monkeypatch.setattr(config, "strict", False)


def pytest_addoption(parser):
    parser.addoption(
        "--through",
        default="optimize",
        choices=sorted(harness.WAYS),
        help="how the differential tests optimise a function",
    )


def pytest_configure(config):
    harness.choose(config.getoption("--through"))
