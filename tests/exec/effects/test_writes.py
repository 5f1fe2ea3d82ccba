"""Calls that write outside memory: out=, methods and functions; and writes to the region's own."""

import numpy as np
import pytest

from dyntrace.exec.checks import CannotProve
from dyntrace.graph.describe import describe
from dyntrace.graph.node import INPUT, Graph, Node
from tests.exec.comparing import same_bits
from tests.exec.effects.running import MODES, functions_of, memory, numbers, run, writing
from tests.trace.captured import NotCaptured, captured


class Calls:
    """Calls that write x."""

    def add_to_out(x, a, b):
        np.add(a, b, out=x)

    def add_to_third(x, a, b):
        np.add(a, b, x)

    def exp_to_out(x, a):
        np.exp(a, out=x)

    def exp_to_second(x, a):
        np.exp(a, x)

    def add_to_operand(x, a):
        np.add(x, a, out=x)

    def power_of_itself(x):
        np.power(x, 2.0, out=x)

    def add_to_tuple(x, a, b):
        np.add(a, b, out=(x,))

    def add_where(x, a, b, m):
        np.add(a, b, out=x, where=m)

    def log_where(x, a, m):
        np.log(a, out=x, where=m)

    def add_in_single_precision(x, a, b):
        np.add(a, b, out=x, dtype="f4", casting="same_kind")

    def reduce_to_out(x, cube):
        np.add.reduce(cube, out=x)

    def sum_to_out(x, cube):
        np.sum(cube, axis=0, out=x)

    def cumsum_to_out(x, a):
        np.cumsum(a, axis=1, out=x)

    def clip_to_out(x, a):
        np.clip(a, 2, 3, out=x)

    def clip_itself(x):
        np.clip(x, 2, 3, out=x)

    def matmul_to_out(x, a, b):
        np.matmul(a, b, out=x)

    def dot_to_out(x, a, b):
        np.dot(a, b, out=x)

    def maximum_with_itself(x, a):
        np.maximum(x, a, out=x)

    def copyto(x, a):
        np.copyto(x, a)

    def copyto_where(x, m):
        np.copyto(x, 2, where=m)

    def put_function(x):
        np.put(x, [0, 3], 5.0)

    def add_at(x):
        np.add.at(x, [0, 1, 1], 2.0)

    def sort_method(x):
        x.sort()

    def sort_columns(x):
        x.sort(axis=0)

    def fill_method(x):
        x.fill(3)

    def put_method(x):
        x.put([1, 2], [3, 4])


@pytest.mark.parametrize("call", functions_of(Calls))
@pytest.mark.parametrize("layout", ["C", "F", "strided"])
def test_calls_write_their_argument_as_eager_does(compile_graph, call, layout):
    fn = functions_of(Calls)[call]

    def build():
        x = numbers("d", (4, 4)) if layout != "strided" else numbers("d", (8, 4))[::2]
        x = np.asarray(x, order="F") if layout == "F" else x
        given = {
            "x": x,
            "a": numbers("d", (4, 4), 2),
            "b": numbers("d", (4, 4), 3) / 3,
            "m": x > 3,
            "cube": numbers("d", (5, 4, 4)),
        }
        return tuple(given[name] for name in fn.__code__.co_varnames[: fn.__code__.co_argcount])

    if call == "dot_to_out" and layout == "F":
        with pytest.raises(ValueError):
            fn(*build())
        assert run(compile_graph, fn, build) == "refused"
        return
    outcome = run(compile_graph, fn, build)
    assert outcome == "committed" or layout == "strided"


class Failing:
    """Calls that fail on some values or shapes of their arguments."""

    def add(x, a, b):
        np.add(a, b, out=x)

    def divide(x, a, b):
        np.divide(a, 0.5, out=x)

    def put(x, a, b):
        np.put(x, [0, 2], 5)

    def add_at(x, a, b):
        np.add.at(x, [0, 1, 2], 1.0)

    def copyto(x, a, b):
        np.copyto(x, b)


@pytest.mark.parametrize(
    "call, shapes",
    [
        ("add", ((3,), (4,), (4,))),
        ("add", ((4,), (4,), (3,))),
        ("add", ((4,), (2, 4), (4,))),
        ("divide", ((4,), (4,), (4,))),
        ("put", ((4,), (4,), (4,))),
        ("add_at", ((4,), (4,), (4,))),
        ("copyto", ((4,), (4,), (3,))),
    ],
)
def test_failing_calls_leave_their_target(compile_graph, call, shapes):
    """A divisor becomes zero, an index too large: with those the call could not be captured."""
    program = captured(functions_of(Failing)[call], *(np.ones(4),) * 3)
    effect = program.graph.effect
    object.__setattr__(effect, "args", tuple(map(harmful, effect.args)))
    found = tuple(np.ones(shape) for shape in shapes)
    before = memory(found)
    with np.errstate(**MODES), pytest.raises(Exception):
        program.compiled(compile_graph)(*found)
    assert memory(found) == before


def harmful(value):
    if type(value) is list:
        return [*value[:-1], 99]
    return 0.0 if value is not None and type(value) is float and value == 0.5 else value


def test_two_targets_are_refused(compile_graph):
    """The tracer leaves them to NumPy; the executor does not commit such a graph either."""

    def in_own_memory(a):
        t, u = a * 2, a * 3
        np.modf(a, out=(t, u))
        return t, u

    def in_arguments(x, y, a):
        np.modf(a, out=(x, y))

    values = np.ones(3), np.ones(3), np.array([1.5, 2.5, -3])
    with pytest.raises(NotCaptured):
        captured(in_arguments, *values)
    modf = captured(in_own_memory, values[2]).graph.nodes[-1]
    x, y, a = (Node(INPUT, (i,), (), describe(v), modf.origin) for i, v in enumerate(values))
    effect = Node(modf.op, (a,), (("out", (x, y)),), modf.kind, modf.origin)
    with pytest.raises(CannotProve), np.errstate(**MODES):
        compile_graph(Graph([x, y, a], [], [], effect))(*values)
    assert values[0].tolist() == values[1].tolist() == [1, 1, 1]


def test_result_of_an_effect_is_its_target(compile_graph):
    def program(x):
        y = x * 2
        z = np.add(x, y, out=x)
        return z, y

    x = np.ones(3)
    doubled, result, commit = writing(program, (x,)).compiled(compile_graph)(x)
    assert result is x and x.tolist() == [1, 1, 1]
    commit()
    assert x.tolist() == [3, 3, 3] and doubled.tolist() == [2, 2, 2]


def test_own_memory_is_written_in_program_order(compile_graph):
    def program(a):
        t = a * 2
        v = t[1:]
        s = t + 1
        t += 10
        v[0] = 7
        return t, v, s

    a = np.arange(4.0)
    own = captured(program, a)
    assert own.graph.effect is None
    ((t, v, s),) = own.compiled(compile_graph)(a)
    for one, other in zip((t, v, s), program(a), strict=True):
        same_bits(one, other)
    assert v.base is t
