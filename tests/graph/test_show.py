"""Printed graphs are Python that runs and gives the graph's values."""

import math
import operator

import numpy as np
import pytest

from dyntrace.graph.describe import describe
from dyntrace.graph.node import INPUT, Graph, Node, Op, Origin
from dyntrace.graph.show import show
from tests.exec.comparing import same
from tests.exec.programs import Program

PROGRAMS = {
    "arithmetic": "return (x + y) * 2.0 - -x / -3, x ** -1.0, 2 ** x, -x ** 2, ~(x > y)",
    "calls": "return np.linalg.norm(x), np.add(x, y), np.add.reduce(x, axis=0), np.clip(x, -1, None)",
    "methods": "return x.sum(axis=0), x.T.mean(-1), (x + y).reshape(-1, 2).max()",
    "indexing": "return x[1:-1], x[:, ::-1], x[..., 0], x[None, 1:, -1], x[[0, 1]], x[x > 1], x[0][1]",
    "writes": "t = x + 1\n    t += y\n    t[0, 1:] = 5\n    t[1] = y[0]\n    return t, t * 2",
    "out": "t = x * 2\n    np.sqrt(x, out=t)\n    np.add(t, 1, t)\n    return t",
    "containers": "p = [x, (y, 2)]\n    return p, {'a': x + 1, 'b': [y]}, np.stack([x, y])",
    "constants": "return x.astype(np.float32), np.zeros(3, np.dtype('i2')), np.full(2, np.inf), x * 1j",
    "nothing": "return x",
    "effect": "t = x * 2\n    x[1:] = t[1:]\n    return t",
    "in place": "t = x * 2\n    x *= t\n    return t",
}


@pytest.mark.parametrize("body", list(PROGRAMS.values()), ids=list(PROGRAMS))
def test_text_runs_and_gives_the_same_values(body):
    values = np.arange(1.0, 10.0).reshape(3, 3) / 3, np.arange(9.0).reshape(3, 3)
    if "reshape(-1, 2)" in body:
        values = tuple(value[:2] for value in values)
    program = Program(f"def f(x, y):\n    {body}", *values)
    text = show(program.graph, program.names)
    mine = [value.copy() for value in values]
    theirs = [value.copy() for value in values]
    namespace = dict(zip(program.names, mine, strict=True))
    exec(compile(text, "shown.py", "exec"), namespace)
    wanted = program.eager(*theirs)
    wanted = wanted if type(wanted) is tuple else (wanted,)
    for found, value in zip(namespace["outputs"], wanted, strict=True):
        same(found, value)
    same(mine, theirs)


def test_each_node_has_its_line_with_file_and_line_number():
    x = np.arange(3.0)
    program = Program("def f(x):\n    y = x + 1\n    return np.sin(y)[1:]", x)
    assert show(program.graph, program.names).splitlines() == [
        "import numpy as np",
        "t0 = x + 1  # program.py:2",
        "t1 = np.sin(t0)  # program.py:3",
        "t2 = t1[1:]  # program.py:3",
        "outputs = t2,",
    ]


def test_names_that_cannot_be_had_are_replaced():
    values = [np.arange(3.0)] * 5
    program = Program("def f(a, b, c, d, e):\n    return a + b + c + d + e", *values)
    text = show(program.graph, ["self.x", "lambda", "t0", None])
    assert "t1 = self_x + input1" in text and "t2 = t1 + t0" in text
    assert "input3" in text and "input4" in text
    np_named = show(program.graph, ["np", "np", "outputs"])
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
