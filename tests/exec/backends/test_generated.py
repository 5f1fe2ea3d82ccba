"""The generated function: what it returns, in which order it calls, what it keeps and checks."""

import operator
import weakref

import numpy as np
import pytest

from dyntrace.errors import InternalError
from dyntrace.exec.backends import generated, generation, reference
from dyntrace.exec.checks import KindMismatch
from dyntrace.graph.describe import describe
from dyntrace.graph.kinds import ArrayKind, KnownKind, PythonScalarKind, SequenceKind
from dyntrace.graph.node import INPUT, Graph, Node, Op, Origin
from tests.exec.comparing import same
from tests.exec.programs import Program

BACKENDS = [generated.compile_graph, reference.compile_graph]
X = np.arange(1.0, 7.0).reshape(2, 3)


@pytest.fixture(params=BACKENDS, ids=["numpy", "reference"])
def compile_graph(request):
    return request.param


BODIES = [
    "return x + y",
    "return x",
    "return x, x",
    "return x.sum()",
    "return x + 1, 5, None, 'text', 2.5",
    "t = x * y\n    return t, (t, [t, x]), {'a': t, 'b': (x,)}",
    "return x[1:, ::-1], x[0, 1], x[..., None]",
    "s = x.sum()\n    return s + 1, s * 2.0, -s, s ** 2",
    "t = x + 1\n    t *= y\n    t[0] = y[1]\n    v = t[1:]\n    v -= 2\n    return t, v",
    "return x.T @ y, (x @ y.T).trace()",
    "t = np.zeros(3)\n    np.add(t, 1, out=t)\n    return t",
    "t = x * 2\n    u = np.sqrt(t)\n    t += 1\n    return t, u",
    "return np.linalg.norm(x), np.stack([x, y], axis=1), np.where(x > 2, x, y)",
    "t = (x + y) * (x - y)\n    u = (t * t) + np.exp(-(t + x))\n    return (u / t) ** 2.0, t",
    "return -(x + y) ** 2, ~(x > y), (x < 3) & (y == 2) | (x != y)",
    "return x.reshape(-1), np.asarray(x), x.ravel()[1:]",
]


@pytest.mark.parametrize("body", BODIES)
@pytest.mark.parametrize("exact", [None, False, True])
def test_results_are_eagers(compile_graph, body, exact):
    values = X, X[::-1] / 3
    program = Program(f"def f(x, y):\n    {body}", *values, exact=exact)
    found, wanted = compile_graph(program.graph)(*values), program.eager(*values)
    same(found, wanted)
    found = found if type(found) is tuple else (found,)
    wanted = wanted if type(wanted) is tuple else (wanted,)
    for one, other in zip(found, wanted, strict=True):
        if isinstance(other, np.ndarray):
            for value in values:
                assert (one is value) == (other is value)
                assert np.shares_memory(one, value) == np.shares_memory(other, value)


def test_single_array_or_number_is_returned_bare_and_all_else_in_a_tuple(compile_graph):
    def result(body):
        return compile_graph(Program(f"def f(x):\n    {body}", X).graph)(X)

    assert result("return x") is X
    assert type(result("return x.sum()")) is np.float64
    assert type(result("return x + 1")) is np.ndarray
    assert result("return 5") == (5,)
    assert result("return None") == (None,)
    assert type(result("return [x]")) is tuple
    assert result("x + 1") == ()
    assert type(result("return np.linalg.slogdet(x @ x.T)")) is tuple


def test_container_met_twice_is_one_object(compile_graph):
    items = Program("def f(x):\n    return [x]", X).graph
    (shared,) = items.outputs
    items.outputs[:] = [shared, (1, shared), {"k": shared}]
    first, (_, second), third = compile_graph(items)(X)
    assert first is second is third["k"] and first[0] is X
    again, *_ = compile_graph(items)(X)
    assert again is not first


def test_equal_constants_of_other_types_stay_apart(compile_graph):
    graph = Program("def f(x):\n    return x", X).graph
    graph.outputs[:] = [1, 1.0, True, 0.0, -0.0, 1 + 0j, np.float64(1), (1,), (1.0,), 2**80, "1"]
    graph.outputs += [float("inf"), slice(None), {}, [], ...]
    assert repr(compile_graph(graph)(X)) == repr(tuple(graph.outputs))
    assert repr(compile_graph(graph)(X)[4]) == "-0.0"


def test_lists_without_nodes_are_new_each_time(compile_graph):
    graph = Program("def f(x):\n    return [1, 2], {}", X).graph
    region = compile_graph(graph)
    assert region(X)[0] is not region(X)[0] and region(X)[1] is not region(X)[1]


def test_output_that_contains_itself_is_an_internal_error():
    graph = Program("def f(x):\n    return [x]", X).graph
    graph.outputs[0].append(graph.outputs[0])
    with pytest.raises((InternalError, RecursionError)):
        generated.compile_graph(graph)(X)


def graph_of(op, kind):
    x = Node(INPUT, (0,), (), describe(X), Origin("user.py", 1))
    node = Node(op, (x,), (), kind, Origin("user.py", 12))
    return Graph([x], [node], [node])


@pytest.mark.parametrize(
    "value, kind",
    [
        (X, ArrayKind(X.dtype, 1)),
        (X, ArrayKind(np.dtype("f4"), 2)),
        (X.view(">f8"), ArrayKind(X.dtype, 2)),
        (X.view(np.matrix), ArrayKind(X.dtype, 2)),
        (np.arange(3, dtype="q"), ArrayKind(np.dtype("l" if np.dtype("l").num != 9 else "i"), 1)),
        (np.float32(1), describe(np.float64(1))),
        (np.float64(1), PythonScalarKind(float)),
        (True, PythonScalarKind(int)),
        (None, KnownKind(True)),
        ((X, 1), SequenceKind(list, (describe(X), PythonScalarKind(int)))),
        ((X, 1), SequenceKind(tuple, (describe(X),))),
        ((X, 1), SequenceKind(tuple, (describe(X), PythonScalarKind(float)))),
        (1, describe("text")),
        ({"a": 1}, describe({"b": 1})),
        (slice(1, 2), describe(slice(None, 2))),
    ],
)
def test_results_of_another_kind_are_refused(compile_graph, value, kind):
    graph = graph_of(Op("test.f", lambda x: value, "test"), kind)
    with pytest.raises(KindMismatch):
        compile_graph(graph)(X)
    unused = graph_of(Op("test.f", lambda x: value, "test"), kind)
    unused.outputs.clear()
    with pytest.raises(KindMismatch):
        compile_graph(unused)(X)


@pytest.mark.parametrize("value", [X, np.float64(1), 1, (X, 1), "a", {"b": 1}, slice(1, 2), None])
def test_results_of_the_inferred_kind_pass(compile_graph, value):
    found = compile_graph(graph_of(Op("test.f", lambda x: value, "test"), describe(value)))(X)
    assert found is value or found[0] is value


def test_unpickled_dtypes_count_as_the_builtin_ones(compile_graph):
    dtype = np.dtype("f8").newbyteorder("S").newbyteorder("S")
    assert dtype == np.dtype("f8")
    value = np.zeros((2, 3), dtype)
    compile_graph(graph_of(Op("test.f", lambda x: value, "test"), describe(X)))(X)


def recorder():
    calls = []

    def make(name):
        def call(*args):
            calls.append(name)
            return X

        return Op(f"test.{name}", call, "test", exact=True)

    return calls, make


def test_calls_keep_program_order_however_they_nest(compile_graph):
    calls, make = recorder()
    x = Node(INPUT, (0,), (), describe(X), Origin("user.py", 1))

    def node(name, *args):
        places = tuple(i for i, arg in enumerate(args) if arg is not x)
        return Node(make(name), args, (), describe(X), Origin("user.py", 2, places))

    a = node("a", x)
    b = node("b", x)
    c = node("c", b)
    d = node("d", x)
    e = node("e", d, c)
    f = node("f", a, e)
    dead = node("dead", x)
    region = compile_graph(Graph([x], [a, b, c, d, e, f, dead], [f]))
    region(X)
    assert calls == ["a", "b", "c", "d", "e", "f", "dead"]


def test_dead_nodes_are_still_computed(compile_graph):
    program = Program("def f(x, y):\n    x + y\n    t = x * y\n    return x", X, X)
    with pytest.raises(ValueError):
        compile_graph(program.graph)(X, np.ones((5, 5)))
    program = Program("def f(x, y):\n    x / y\n    return x", X, X)
    with np.errstate(divide="raise"), pytest.raises(FloatingPointError):
        compile_graph(program.graph)(X, X * 0)


def test_values_die_at_their_last_use():
    alive = []

    class Watched(np.ndarray):
        pass

    watched = []

    def make(x):
        value = np.ones(3).view(Watched)
        watched.append(weakref.ref(value))
        return value

    def look(x):
        alive.append([reference() is not None for reference in watched])
        return x

    kind = describe(X)
    x = Node(INPUT, (0,), (), kind, Origin("user.py", 1))
    new, see = Op("test.make", make, "test", exact=True), Op("test.look", look, "test", exact=True)
    add = Op("operator.add", operator.add, "operator", "infix", exact=True)
    a = Node(new, (x,), (), kind, Origin("user.py", 2))
    b = Node(add, (a, 1), (), kind, Origin("user.py", 3))
    c = Node(see, (x,), (), kind, Origin("user.py", 4))
    region = generated.compile_graph(Graph([x], [a, b, c], [b]))
    region(X)
    assert alive == [[False]]


def test_deep_expressions_and_many_inputs_compile():
    body = "x" + " + 1" * 300
    program = Program(f"def f(x):\n    return {body}", X)
    same(generated.compile_graph(program.graph)(X), program.eager(X))
    nested = "np.sin(" * 90 + "x" + ")" * 90
    program = Program(f"def f(x):\n    return {nested}", X)
    same(generated.compile_graph(program.graph)(X), program.eager(X))
    names = [f"v{number}" for number in range(300)]
    values = [np.float64(number) for number in range(300)]
    program = Program(f"def f({', '.join(names)}):\n    return {' + '.join(names)}", *values)
    same(generated.compile_graph(program.graph)(*values), program.eager(*values))


def test_in_place_operation_on_a_value_of_the_stack_compiles():
    program = Program("def f(x):\n    t = x * 2\n    v = t[1:]\n    v += 1\n    return t", X)
    object.__setattr__(program.graph.nodes[2], "origin", Origin("program.py", 4, (0,)))
    same(generated.compile_graph(program.graph)(X), program.eager(X))


def test_generated_code_says_where_it_comes_from():
    region = generated.compile_graph(Program("def f(x):\n    return x + 1", X).graph)
    region(X)
    assert region.__code__.co_filename == "<dyntrace region program.py:2>"
    assert region.__globals__["__name__"] == "dyntrace.exec.generated"
    assert region.__module__ == "dyntrace.exec.generated"


def test_function_is_compiled_once_at_its_first_call_and_stays_the_same_object(monkeypatch):
    compiled = []
    generate = generation.generated_code
    monkeypatch.setattr(
        generation, "generated_code", lambda *args: compiled.append(args) or generate(*args)
    )
    region = generated.compile_graph(Program("def f(x):\n    return x + 1", X).graph)
    assert not compiled
    for _ in range(3):
        same(region(X), X + 1)
    assert len(compiled) == 1


def test_region_that_was_never_called_leaves_no_cycle():
    region = generated.compile_graph(Program("def f(x):\n    return x + 1", X).graph)
    gone = weakref.ref(region)
    del region
    assert gone() is None


def test_replaced_methods_run_their_replacement(compile_graph):
    clone = Op("ndarray.mean", lambda a: "clone", "reduction", "method", exact=True)
    assert compile_graph(graph_of(clone, describe("clone")))(X) == ("clone",)


def test_methods_of_scalars_are_looked_up_on_the_scalar():
    op = Op("ndarray.sum", np.ndarray.sum, "method", "method", exact=True)
    graph = graph_of(op, describe(np.float64(1)))
    assert generated.compile_graph(graph)(np.float64(2)) == 2.0
