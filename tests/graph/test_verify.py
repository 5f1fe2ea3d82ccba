"""Each rule of a legal graph, broken once."""

import operator

import numpy as np
import pytest

from dyntrace.errors import InternalError
from dyntrace.graph.describe import describe
from dyntrace.graph.node import INPUT, Graph, Node, Op, Origin
from dyntrace.graph.verify import verify
from tests.trace.captured import captured

ADD = Op("operator.add", operator.add, "operator", "infix", exact=True)
IADD = Op("operator.iadd", operator.iadd, "operator", "inplace", exact=True, writes=(0,))
PUT = Op("operator.setitem", operator.setitem, "indexing", "setitem", writes=(0,))
GET = Op("operator.getitem", operator.getitem, "indexing", "item", aliases=True)
KIND = describe(np.arange(3.0))
WHERE = Origin("user.py", 3)


def node(op, *args, origin=WHERE, kind=KIND):
    return Node(op, args, (), kind, origin)


def graph(*nodes, outputs=(), effect=None, inputs=None):
    given = [X] if inputs is None else inputs
    return Graph(given, list(nodes), list(outputs), effect)


X = node(INPUT, 0)
SUM = node(ADD, X, 1)


def problem(illegal):
    with pytest.raises(InternalError) as caught:
        verify(illegal)
    return str(caught.value)


def test_legal_graphs_pass():
    def program(x):
        t = x + 1
        t += x
        x[:] = t
        return [t, x]

    verify(captured(program, np.arange(3.0)).graph)
    verify(Graph())


def test_argument_must_be_defined_before_its_use():
    later = node(ADD, SUM, X)
    text = problem(graph(later, SUM))
    assert "operator.add" in text and "user.py:3" in text and "not defined before it" in text


def test_output_must_be_defined():
    assert "output" in problem(graph(outputs=[(1, [SUM])]))


def test_node_may_stand_once_only():
    assert "twice" in problem(graph(SUM, SUM))
    assert "among the nodes" in problem(graph(X))


def test_inputs_are_numbered():
    assert "input 0" in problem(graph(inputs=[node(INPUT, 1)]))
    assert "input 0" in problem(graph(inputs=[SUM]))


def test_outside_memory_is_written_by_the_effect_only():
    write = node(IADD, X, 1)
    assert "did not allocate" in problem(graph(write))
    verify(graph(effect=write))
    view = node(GET, X, slice(1, None))
    assert "did not allocate" in problem(graph(view, node(PUT, view, 0, 1.0)))
    owned = node(GET, SUM, slice(1, None))
    verify(graph(SUM, owned, node(PUT, owned, 0, 1.0)))


def test_constants_are_never_written():
    assert "constant" in problem(graph(node(PUT, np.arange(3), 0, 1.0)))


def test_effect_stands_apart_and_writes_something():
    write = node(IADD, SUM, 1)
    assert "among the nodes" in problem(graph(SUM, write, effect=write))
    assert "writes nothing" in problem(graph(effect=SUM))
    late = node(IADD, X, SUM)
    assert "not defined" in problem(graph(effect=late))


def test_kind_and_origin_must_be_there():
    assert "no kind" in problem(graph(node(ADD, X, 1, kind=None)))
    assert "no origin" in problem(graph(node(ADD, X, 1, origin=None)))
    assert "not a node" in problem(graph("x + 1"))
    assert "no operation" in problem(graph(node(None, X)))


def test_styles_have_their_number_of_arguments():
    assert "takes 2 arguments" in problem(graph(node(ADD, X)))
    silent = Op("operator.setitem", operator.setitem, "indexing", "setitem")
    assert "without saying so" in problem(graph(SUM, node(silent, SUM, 0, 1.0)))


def test_temporaries_are_positions_of_arguments():
    wrong = node(ADD, X, 1, origin=Origin("user.py", 3, (2,)))
    assert "temporaries" in problem(graph(wrong))
