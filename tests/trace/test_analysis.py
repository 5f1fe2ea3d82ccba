"""How far paths go, and what a large function costs: bounds on the work of an analysis."""

from __future__ import annotations

import numpy as np

from tests.trace.tracing import analyse, plans

X = np.linspace(0.0, 1.0, 5)


def branching_function(blocks):
    """`blocks` branches that data decide, each with array work in it and behind it."""
    body = []
    for number in range(blocks):
        body += [
            f"    if n > {number}:",
            f"        x = x * {number + 2}",
            "    else:",
            "        x = x - 1",
            "    y = np.sin(x) + y",
        ]
    namespace = {"np": np}
    exec("\n".join(["def program(x, y, n):", *body, "    return x, y"]), namespace)
    return namespace["program"]


def test_a_path_of_a_small_function_goes_on_where_it_meets_another():
    def program(x, n):
        if n > 2:
            x = x * 2
        return x + 1

    operations = [
        [node.op.name for node in plan.region.graph.nodes] for plan in plans(analyse(program, X, 3))
    ]
    assert ["operator.mul", "operator.add"] in operations


def test_units_of_a_large_function_are_traced_twice_at_most():
    for blocks in (50, 150):
        analysis = analyse(branching_function(blocks), X, X, 3)
        assert analysis.visited < 2 * len(analysis.shape.body.units) + 500
        assert len(plans(analysis)) >= 2 * blocks


def test_all_work_of_a_large_function_is_in_some_region():
    program = branching_function(60)
    analysis = analyse(program, X, X, 3)
    lines = {
        node.origin.lineno
        for plan in plans(analysis)
        for node in plan.region.graph.nodes
        if node.op.name != "operator.gt"
    }
    start = program.__code__.co_firstlineno
    wanted = {start + 5 * block + line for block in range(60) for line in (2, 4, 5)}
    assert wanted <= lines
