"""Which values live in memory that the region itself allocated."""

import numpy as np

from dyntrace.graph.ownership import is_fresh, nodes_in, operands, roots, written
from tests.exec.programs import Program

X = np.arange(12.0).reshape(3, 4)


def nodes(body):
    graph = Program(f"def f(x, y):\n    {body}", X, X).graph
    return graph.inputs, graph.nodes


def test_results_of_computation_are_fresh_and_inputs_are_not():
    (x, _), (total,) = nodes("return x + 1")
    assert is_fresh(total) and roots(total) == {total}
    assert not is_fresh(x) and roots(x) == {x}


def test_views_are_as_fresh_as_what_they_look_into():
    (x, _), (view, total, inner, deeper) = nodes("a = x[1:]\n    return (a + 1)[:, 1:].T")
    assert roots(view) == {x} and not is_fresh(view)
    assert roots(deeper) == roots(inner) == {total} and is_fresh(deeper)


def test_numbers_look_into_nothing():
    _, (item,) = nodes("return x[0, 1]")
    assert roots(item) == {item} and is_fresh(item)


def test_operation_that_may_return_an_argument_shares_all_of_them():
    (x, y), (shared,) = nodes("return np.broadcast_to(x, (3, 4))")
    assert roots(shared) == {x}


def test_result_of_a_write_is_what_it_wrote():
    _, (doubled, added) = nodes("t = x * 2\n    np.add(x, y, out=t)\n    return t")
    assert written(added) == [doubled] and roots(added) == {doubled}
    _, (doubled, modf) = nodes("t = x * 2\n    np.modf(x, out=(t, t))\n    return t")
    assert written(modf) == [doubled, doubled]


def test_write_without_its_target_writes_nothing():
    _, (total,) = nodes("return np.add(x, y)")
    assert total.op.writes and written(total) == [] and is_fresh(total)


def test_view_of_an_array_constant_is_not_fresh():
    _, (view,) = nodes("return x[1:]")
    object.__setattr__(view, "args", (X, slice(1, None)))
    assert not is_fresh(view)


def test_operands_come_in_evaluation_order_with_repeats():
    (x, y), (total, stacked) = nodes("a = x + y\n    return np.stack([y, x, a, y], axis=0)")
    assert list(operands(stacked)) == [y, x, total, y]
    assert list(nodes_in({"a": [x], "b": slice(y, None)})) == [x, y]
