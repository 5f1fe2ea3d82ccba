"""Backends by name, and what is said when one is missing or misbehaves."""

import numpy as np
import pytest

from dyntrace.errors import BackendError
from dyntrace.exec.backends import machine, names, reference
from tests.trace.captured import captured

GRAPH = captured(lambda x: x + 1, np.arange(3.0)).graph


@pytest.fixture(autouse=True)
def nothing_registered(monkeypatch):
    monkeypatch.setattr(names, "_registered", {})


class Point:
    def __init__(self, name, found):
        self.name, self.value, self.found = name, "package:attribute", found

    def load(self):
        if isinstance(self.found, Exception):
            raise self.found
        return self.found


@pytest.fixture
def installed(monkeypatch):
    def install(**points):
        found = [Point(name, value) for name, value in points.items()]
        monkeypatch.setattr("importlib.metadata.entry_points", lambda group: found)

    return install


def test_built_in_backends_are_there():
    assert names.get_backend("numpy") is machine.compile_graph
    assert names.get_backend("reference") is reference.compile_graph


def test_registered_backend_is_found_and_checked():
    names.register_backend("mine", machine.compile_graph)
    assert names.get_backend("mine")(GRAPH)(np.zeros(2)).tolist() == [1, 1]
    names.register_backend("mine", machine.compile_graph)
    names.register_backend("wrong", lambda graph: 3)
    with pytest.raises(BackendError, match="'wrong' returned int"):
        names.get_backend("wrong")(GRAPH)


def test_unknown_backend_lists_the_known_ones():
    names.register_backend("mine", machine.compile_graph)
    with pytest.raises(BackendError, match="unknown backend 'tpu'; known are mine, numpy, ref"):
        names.get_backend("tpu")


def test_names_are_for_good():
    with pytest.raises(BackendError, match="built-in"):
        names.register_backend("numpy", machine.compile_graph)
    names.register_backend("mine", machine.compile_graph)
    with pytest.raises(BackendError, match="already registered"):
        names.register_backend("mine", reference.compile_graph)


def test_wrong_types_are_named():
    with pytest.raises(TypeError, match="name must be a str, not int"):
        names.register_backend(3, machine.compile_graph)
    with pytest.raises(TypeError, match="must be callable, not int"):
        names.register_backend("mine", 3)
    with pytest.raises(TypeError, match="must be a str, not NoneType"):
        names.get_backend(None)


def test_entry_points_are_backends(installed):
    installed(other=reference.compile_graph, broken=ImportError("no"), odd=3)
    assert names.get_backend("other")(GRAPH)(np.zeros(2)).tolist() == [1, 1]
    assert names.known_backends() == ["broken", "numpy", "odd", "other", "reference"]
    with pytest.raises(BackendError, match="'broken' .* failed to load"):
        names.get_backend("broken")
    with pytest.raises(BackendError, match="'odd' .* is not callable"):
        names.get_backend("odd")
