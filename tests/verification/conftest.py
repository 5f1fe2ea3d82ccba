"""A backend whose results are wrong, and random generators that start alike in each test."""

import random

import numpy as np
import pytest

import dyntrace
from dyntrace.exec.backends import names, reference


def raised(result):
    """What a broken backend makes of a result: each array in it is one more."""
    if type(result) in (tuple, list):
        return type(result)(map(raised, result))
    return result + 1 if isinstance(result, np.ndarray) else result


@pytest.fixture
def broken(monkeypatch):
    """A backend whose arrays are wrong in each call."""
    monkeypatch.setattr(names, "_registered", {})

    def off_by_one(graph):
        run = reference.compile_graph(graph)

        def wrong(*values):
            return raised(run(*values))

        return wrong

    dyntrace.register_backend("off by one", off_by_one)
    return "off by one"


@pytest.fixture(autouse=True)
def seeded():
    np.random.seed(5)
    random.seed(5)
