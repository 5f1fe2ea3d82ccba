"""Programs and plans as text: what is computed from what, how, and in which tiles."""

import numpy as np
import pytest

import dyntrace
from dyntrace import config
from dyntrace.exec.backends.dump import TWIN_ONLY

pytestmark = pytest.mark.skipif(not config.native, reason="programs are native")


def graph_of(function, *args):
    (graph,) = dyntrace.explain(function)(*args).graphs
    return graph


def several(x, y):
    v = x * 2.0 + y[1:-1].sum(axis=0)
    w = np.sqrt(v * v + 1.0)
    return w.sum(), np.sort(w), w.T


def test_a_program_names_inputs_instructions_and_calls():
    lines = graph_of(several, np.ones((4, 5)), np.ones((6, 5))).program.splitlines()
    assert lines[0] == "r0 input x: float64, 2 axes"
    assert "r2 constant 2.0" in lines
    text = "\n".join(lines)
    for part in (
        " = mul(r0, 2.0)  # elementwise of r0, r2",
        " = getitem(r1, slice(1, -1, None))  # view of r1",
        ", axis=0)  # reduction of r",
        "  # elementwise of r",
        "call: r",
        " = sort(r",
        " = T(r",
    ):
        assert part in text
    assert lines[-1].startswith("outputs ")


def test_a_plan_names_the_groups_of_the_last_call():
    plan = graph_of(several, np.ones((4, 5)), np.ones((6, 5))).plan
    head, *groups = plan.splitlines()
    assert head.startswith("segment 0: ") and head.endswith("one thread")
    assert [line.split(":")[0].strip() for line in groups[:3]] == ["columns", "linear", "rows"]
    assert "20 elements in 1 tile of 4 x 5; " in groups[1]
    assert "views, which need no plan" in plan


def test_a_large_plan_has_tiles_and_threads():
    def chain(x):
        return np.sqrt(x * x + 1.0) - x * 0.5

    plan = graph_of(chain, np.ones(3_000_000)).plan
    assert "tiles of 1 x " in plan
    assert ("up to" in plan) == (dyntrace.get_num_threads() > 1)


def test_what_the_machine_has_nothing_to_do_for_says_so():
    def sorts(x):
        return np.sort(x), np.argsort(x)

    graph = graph_of(sorts, np.ones(4))
    assert graph.program == TWIN_ONLY and graph.plan == ""


def test_an_effect_is_listed_with_what_it_writes():
    def step(x, y):
        x[1:] += y[1:] * 2.0

    graph = graph_of(step, np.ones(5), np.ones(5))
    assert "; writes r" in graph.program or "commit" in graph.program
