"""A glance finds arrays within reach of a frame without running any of the user's code."""

import numpy as np
import pytest

from dyntrace.programs.glance import meets_arrays


class Model:
    def __init__(self, weights):
        self.weights = weights

    def __getattr__(self, name):
        raise AssertionError("an attribute was read through the class")


class Holder:
    def __init__(self, model):
        self.model = model

    @property
    def __dict__(self):
        raise AssertionError("a property was called")


LAZY = type(lambda: None)  # pytest looks at the attributes of parameters, so they are made late


def plain(x):
    return x + 1


def calls_numpy(x):
    return np.sqrt(x)


def makes_a_function():
    return lambda x: np.exp(x)


def cell(value):
    return (lambda: value).__closure__[0]


@pytest.mark.parametrize(
    "value",
    [
        np.ones(2),
        np.float64(1.0),
        [1, np.ones(1)],
        (None, (np.ones(1),)),
        {"a": [np.ones(1)]},
        lambda: Model(np.ones(2)),
        lambda: Model([Model(np.ones(2))]),
        cell(np.ones(2)),
        np.ma.ones(2),
    ],
    ids=lambda value: type(value).__name__,
)
def test_values_of_a_frame_are_looked_into(value):
    assert meets_arrays(plain.__code__, {}, [1, value() if type(value) is LAZY else value])


@pytest.mark.parametrize(
    "value", [1, "text", [1.0] * 50, {"a": None}, lambda: Model(3), lambda: Holder(3)]
)
def test_values_without_arrays_are_told_apart(value):
    assert not meets_arrays(plain.__code__, {}, [value() if type(value) is LAZY else value])


def test_names_that_code_reads_are_looked_up():
    assert meets_arrays(calls_numpy.__code__, {"np": np}, [])
    assert meets_arrays(makes_a_function.__code__, {"np": np}, [])
    assert not meets_arrays(calls_numpy.__code__, {"np": 3}, [])
    assert not meets_arrays(plain.__code__, {"np": np}, [])
