"""The start-up test of how NumPy adds up: it holds here, and a rule that fails is not used."""

import numpy as np
import pytest

from dyntrace.exec.lower import lower_reductions, selftest
from dyntrace.exec.lower.description import CallStep
from tests.machine.capturing import capture


@pytest.mark.skipif(np.lib.NumpyVersion(np.__version__) < "2.4.0", reason="adds in chunks")
@pytest.mark.parametrize("char", "fdFD")
def test_sums_over_everything_halve_as_the_machine_halves_them(char):
    assert selftest.adds_in_a_tree(char)


@pytest.mark.parametrize("char", "efdgFDG")
@pytest.mark.parametrize("ufunc", [np.add, np.multiply, np.maximum, np.minimum])
def test_rows_and_columns_are_reduced_in_lines(ufunc, char):
    assert selftest.reduces_in_lines(ufunc, char)


@pytest.mark.parametrize("char", "fd")
@pytest.mark.parametrize("name", ["mean", "var", "std", "norm"])
def test_composed_reductions_are_made_in_these_steps(name, char):
    assert selftest.composes(name, char)


def test_another_order_of_adding_is_noticed(monkeypatch):
    monkeypatch.setattr(selftest, "_LEAF", 100)  # below NumPy's own blocks
    assert not selftest.adds_in_a_tree.__wrapped__("d")


@pytest.mark.parametrize("rule", ["reduces_in_lines", "composes"])
def test_a_rule_that_does_not_hold_is_not_lowered(monkeypatch, rule):
    def program(x):
        return np.mean(x * 2.0, axis=1)

    graph = capture(program, np.ones((3, 4))).graph
    monkeypatch.setattr(lower_reductions.selftest, rule, lambda *key: False)
    assert "mean" in calls(graph)
    monkeypatch.undo()
    assert calls(graph) == []


def test_sums_are_not_split_where_the_tree_is_another(monkeypatch):
    monkeypatch.setattr(lower_reductions.selftest, "adds_in_a_tree", lambda char: False)
    assert lower_reductions._split(np.add, np.dtype("d")) == lower_reductions.CHUNKS


def calls(graph):
    """The names of what the program leaves to Python."""
    from dyntrace.exec.lower import choice

    spec = choice.lowered(graph)
    return [step.call.target.__name__ for step in spec.steps if isinstance(step, CallStep)]
