"""Both implementations of regions, and graph callables as the executor makes them."""

import importlib

import pytest

from dyntrace import config
from dyntrace.runtime import interruption, region

NATIVE = importlib.import_module("dyntrace._native") if config.native else None


@pytest.fixture(params=["python", "native"])
def runtime(request):
    """The module that offers Handle and Region: the Python twin, then the extension."""
    if request.param == "python":
        return region
    if NATIVE is None:
        pytest.skip("the extension is not in use")
    return NATIVE


@pytest.fixture
def tracing_active(runtime):
    return (runtime if runtime is NATIVE else interruption).tracing_active


@pytest.fixture
def recording_gate(runtime):
    return (runtime if runtime is NATIVE else interruption).recording_gate


@pytest.fixture
def generated():
    """Compiles the function `run` out of source text, with a file name as the executor gives it."""

    def compile_run(source, **names):
        exec(compile(source, "<dyntrace test>", "exec"), names)
        return names["run"]

    return compile_run
