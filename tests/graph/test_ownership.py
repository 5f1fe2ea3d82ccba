"""Which values live in memory that the region itself allocated."""

import numpy as np

from dyntrace.graph.ownership import is_fresh, nodes_in, operands, roots, written
from tests.trace.captured import captured

X = np.arange(12.0).reshape(3, 4)


def nodes(fn):
    """Inputs and nodes of the graph of a function of one or two arrays."""
    graph = captured(fn, *[X] * fn.__code__.co_argcount).graph
    return graph.inputs, graph.nodes


def test_results_of_computation_are_fresh_and_inputs_are_not():
    (x,), (total,) = nodes(lambda x: x + 1)
    assert is_fresh(total) and roots(total) == {total}
    assert not is_fresh(x) and roots(x) == {x}


def test_views_are_as_fresh_as_what_they_look_into():
    def program(x):
        a = x[1:]
        return (a + 1)[:, 1:].T

    (x,), (view, total, inner, deeper) = nodes(program)
    assert roots(view) == {x} and not is_fresh(view)
    assert roots(deeper) == roots(inner) == {total} and is_fresh(deeper)


def test_numbers_look_into_nothing():
    _, (item,) = nodes(lambda x: x[0, 1])
    assert roots(item) == {item} and is_fresh(item)


def test_operation_that_may_return_an_argument_shares_all_of_them():
    (x,), (shared,) = nodes(lambda x: np.broadcast_to(x, (3, 4)))
    assert roots(shared) == {x}


def test_result_of_a_write_is_what_it_wrote():
    def added_to_double(x, y):
        t = x * 2
        np.add(x, y, out=t)
        return t

    def parts_in_double(x):
        t = x * 2
        np.modf(x, out=(t, t))
        return t

    _, (doubled, added) = nodes(added_to_double)
    assert written(added) == [doubled] and roots(added) == {doubled}
    _, (doubled, modf) = nodes(parts_in_double)
    assert written(modf) == [doubled, doubled]


def test_write_without_its_target_writes_nothing():
    _, (total,) = nodes(lambda x, y: np.add(x, y))
    assert total.op.writes and written(total) == [] and is_fresh(total)


def test_view_of_an_array_constant_is_not_fresh():
    _, (view,) = nodes(lambda x: x[1:])
    object.__setattr__(view, "args", (X, slice(1, None)))
    assert not is_fresh(view)


def test_operands_come_in_evaluation_order_with_repeats():
    def program(x, y):
        a = x + y
        return np.stack([y, x, a, y], axis=0)

    (x, y), (total, stacked) = nodes(program)
    assert list(operands(stacked)) == [y, x, total, y]
    assert list(nodes_in({"a": [x], "b": slice(y, None)})) == [x, y]
