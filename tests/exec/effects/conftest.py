"""Both backends, and no garbage collection in the middle of a test."""

import gc

import pytest

from dyntrace.exec.backends import generated, reference

BACKENDS = {"numpy": generated.compile_graph, "reference": reference.compile_graph}


@pytest.fixture(autouse=True)
def no_collections():
    """NumPy words a broadcasting error while it is set; a collection then would report it."""
    gc.disable()
    yield
    gc.enable()


@pytest.fixture(params=list(BACKENDS))
def compile_graph(request):
    return BACKENDS[request.param]
