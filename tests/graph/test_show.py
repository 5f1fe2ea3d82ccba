"""Printed graphs are Python that runs and gives the graph's values."""

import math
import operator

import numpy as np
import pytest

from dyntrace.graph.describe import describe
from dyntrace.graph.node import INPUT, Graph, Node, Op, Origin
from dyntrace.graph.show import show
from tests.exec.comparing import same
from tests.trace.captured import captured


class Programs:
    """A function of two arrays for each form of text there is."""

    def arithmetic(x, y):
        return (x + y) * 2.0 - -x / -3, x**-1.0, 2**x, -(x**2), ~(x > y)

    def calls(x, y):
        norm = np.linalg.norm(x)
        return norm, np.add(x, y), np.add.reduce(x, axis=0), np.clip(x, -1, None)

    def methods(x, y):
        return x.sum(axis=0), x.T.mean(-1), (x + y).reshape(-1, 2).max()

    def indexing(x, y):
        parts = x[1:-1], x[:, ::-1], x[..., 0], x[None, 1:, -1]
        return parts, x[[0, 1]], x[x > 1], x[0][1]

    def writes(x, y):
        t = x + 1
        t += y
        t[0, 1:] = 5
        t[1] = y[0]
        return t, t * 2

    def out(x, y):
        t = x * 2
        np.sqrt(x, out=t)
        np.add(t, 1, t)
        return t

    def containers(x, y):
        t = x + 1
        p = [x, (y, 2)]
        return p, {"a": t, "b": [y]}, np.stack([x, y])

    def constants(x, y):
        made = np.zeros(3, np.dtype("i2")), np.full(2, 1e999)
        return x.astype(np.float32), made, x * 1j

    def effect(x, y):
        t = x * 2
        x[1:] = t[1:]
        return t

    def in_place(x, y):
        t = x * 2
        x *= t
        return t


def shown(program, names):
    """The graph as text, in the names of the arguments that it takes."""
    taken = [names[source.index] for source in program.sources]
    return show(program.graph, taken)


def assert_text_gives(text, fn, values):
    """The text, run on `values` under the names x and y, leaves and gives what `fn` does."""
    mine = [value.copy() for value in values]
    theirs = [value.copy() for value in values]
    namespace = dict(zip("xy", mine, strict=True))
    exec(compile(text, "shown.py", "exec"), namespace)
    same(flat(namespace["outputs"]), flat(fn(*theirs)))
    same(mine, theirs)


def flat(outputs):
    """The outputs, one tuple of them taken apart."""
    bare = type(outputs) is tuple and len(outputs) == 1 and type(outputs[0]) is tuple
    return outputs[0] if bare else outputs if type(outputs) is tuple else (outputs,)


@pytest.mark.parametrize("name", [name for name in vars(Programs) if name[0] != "_"])
def test_text_runs_and_gives_the_same_values(name):
    fn = getattr(Programs, name)
    values = np.arange(1.0, 10.0).reshape(3, 3) / 3, np.arange(9.0).reshape(3, 3)
    if name == "methods":
        values = tuple(value[:2] for value in values)
    assert_text_gives(shown(captured(fn, *values), "xy"), fn, values)


def test_text_of_a_graph_without_nodes_gives_its_input():
    values = np.arange(3.0), np.arange(3.0)
    inputs = [Node(INPUT, (i,), (), describe(v), Origin("f.py", 1)) for i, v in enumerate(values)]
    text = show(Graph(inputs, [], inputs[:1]), "xy")
    assert_text_gives(text, lambda x, y: x, values)


def test_each_node_has_its_line_with_file_and_line_number():
    def program(x):
        y = x + 1
        return np.sin(y)[1:]

    first = program.__code__.co_firstlineno
    assert shown(captured(program, np.arange(3.0)), "x").splitlines() == [
        "import numpy as np",
        f"t0 = x + 1  # test_show.py:{first + 1}",
        f"t1 = np.sin(t0)  # test_show.py:{first + 2}",
        f"t2 = t1[1:]  # test_show.py:{first + 2}",
        "outputs = t2,",
    ]


def test_names_that_cannot_be_had_are_replaced():
    graph = captured(lambda a, b, c, d, e: a + b + c + d + e, *[np.arange(3.0)] * 5).graph
    text = show(graph, ["self.x", "lambda", "t0", None])
    assert "t1 = self_x + input1" in text and "t2 = t1 + t0" in text
    assert "input3" in text and "input4" in text
    np_named = show(graph, ["np", "np", "outputs"])
    assert "t0 = input0 + input1" in np_named


def graph_of(op, *args, **kwargs):
    x = Node(INPUT, (0,), (), describe(np.arange(3.0)), Origin("f.py", 1))
    node = Node(op, (x, *args), tuple(kwargs.items()), describe(None), Origin("<stdin>\n", 7))
    return Graph([x], [node], [node])


def test_functions_outside_numpy_are_imported():
    text = show(graph_of(Op("math.hypot", math.hypot, "builtin"), 2.0), ["x"])
    assert text.splitlines()[:3] == [
        "import numpy as np",
        "import math",
        "t0 = math.hypot(x, 2.0)  # <stdin> :7",
    ]
    contains = Op("operator.contains", operator.contains, "operator")
    assert "operator.contains(x, 1)" in show(graph_of(contains, 1), ["x"])
    assert "t0 = divmod(x, 2)" in show(graph_of(Op("divmod", divmod, "builtin"), 2), ["x"])


@pytest.mark.parametrize(
    "constant, spelling",
    [
        (np.float64(0.5), "np.float64((0.5))"),
        (np.float32("nan"), "np.float32(float('nan'))"),
        (float("-inf"), "float('-inf')"),
        (2**70, str(2**70)),
        (1j, "1j"),
        (np.dtype("i4"), "np.dtype('<i4')"),
        (np.int8, "np.int8"),
        (float, "float"),
        (None, "None"),
        (..., "..."),
        (slice(1, None), "slice(1, None, None)"),
        ((), "()"),
        ((1,), "(1,)"),
        ({"a": -1}, "{'a': -1}"),
        (np.array([1, 2], "i2"), "np.array([1, 2], '<i2')"),
    ],
)
def test_constants_are_spelt_so_that_they_evaluate(constant, spelling):
    text = show(graph_of(Op("np.f", None, "call"), constant), ["x"])
    argument = text.splitlines()[1].partition("f(x, ")[2].rpartition(")  #")[0]
    assert argument.strip("()") == spelling.strip("()")
    same(eval(argument, {"np": np}), constant)
