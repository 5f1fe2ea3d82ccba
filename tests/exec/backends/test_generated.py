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
from tests.trace.captured import captured, claiming_exact

BACKENDS = [generated.compile_graph, reference.compile_graph]
X = np.arange(1.0, 7.0).reshape(2, 3)
ADD = Op("operator.add", operator.add, "operator", "infix", exact=True)


@pytest.fixture(params=BACKENDS, ids=["numpy", "reference"])
def compile_graph(request):
    return request.param


class Bodies:
    """Functions of two arrays that the tracer captures whole."""

    def one_operation(x, y):
        return x + y

    def number(x, y):
        return x.sum()

    def constants_beside_a_result(x, y):
        return x + 1, 5, None, "text", 2.5

    def nested_containers(x, y):
        t = x * y
        return t, (t, [t, x]), {"a": t, "b": (x,)}

    def views(x, y):
        return x[1:, ::-1], x[0, 1], x[..., None]

    def arithmetic_on_a_number(x, y):
        s = x.sum()
        return s + 1, s * 2.0, -s, s**2

    def writes_to_own_memory(x, y):
        t = x + 1
        t *= y
        t[0] = y[1]
        v = t[1:]
        v -= 2
        return t, v

    def products(x, y):
        return x.T @ y, (x @ y.T).trace()

    def out_argument(x, y):
        t = np.zeros(3)
        np.add(t, 1, out=t)
        return t

    def write_after_a_read(x, y):
        t = x * 2
        u = np.sqrt(t)
        t += 1
        return t, u

    def calls(x, y):
        return np.linalg.norm(x), np.stack([x, y], axis=1), np.where(x > 2, x, y)

    def long_expressions(x, y):
        t = (x + y) * (x - y)
        u = (t * t) + np.exp(-(t + x))
        return (u / t) ** 2.0, t

    def signs_and_truths(x, y):
        return -((x + y) ** 2), ~(x > y), (x < 3) & (y == 2) | (x != y)

    def views_that_may_be_the_argument(x, y):
        return x.reshape(-1), np.asarray(x), x.ravel()[1:]


@pytest.mark.parametrize("name", [name for name in vars(Bodies) if name[0] != "_"])
@pytest.mark.parametrize("exact", [None, False, True])
def test_results_are_eagers(compile_graph, name, exact):
    values, fn = (X, X[::-1] / 3), getattr(Bodies, name)
    program = captured(fn, *values)
    program.graph = claiming_exact(program.graph, exact)
    found, wanted = program.compiled(compile_graph)(*values), fn(*values)
    if type(wanted) is tuple:
        (found,) = found
    assert_same_and_shared_alike(found, wanted, values)


@pytest.mark.parametrize("outputs", [1, 2])
def test_inputs_that_are_outputs_are_passed_on(compile_graph, outputs):
    graph = passing()
    graph.outputs[:] = graph.inputs * outputs
    found = compile_graph(graph)(X)
    assert_same_and_shared_alike(found, X if outputs == 1 else (X, X), (X,))


def assert_same_and_shared_alike(found, wanted, values):
    """Equal results, which are the arguments, and look into them, where eager's are and do."""
    same(found, wanted)
    found = found if type(found) is tuple else (found,)
    wanted = wanted if type(wanted) is tuple else (wanted,)
    for one, other in zip(found, wanted, strict=True):
        if isinstance(other, np.ndarray):
            for value in values:
                assert (one is value) == (other is value)
                assert np.shares_memory(one, value) == np.shares_memory(other, value)


def passing(*outputs):
    """A graph without operations, of one input, with these outputs."""
    x = Node(INPUT, (0,), (), describe(X), Origin("user.py", 1))
    return Graph([x], [], list(outputs))


def test_single_array_or_number_is_returned_bare_and_all_else_in_a_tuple(compile_graph):
    def result(fn):
        return captured(fn, X).compiled(compile_graph)(X)

    without_outputs = captured(lambda x: x + 1, X).graph
    without_outputs.outputs.clear()
    identity = passing()
    identity.outputs[:] = identity.inputs
    assert compile_graph(identity)(X) is X
    assert type(result(lambda x: x.sum())) is np.float64
    assert type(result(lambda x: x + 1)) is np.ndarray
    assert compile_graph(passing(5))(X) == (5,)
    assert compile_graph(passing(None))(X) == (None,)
    identity.outputs[:] = [identity.inputs]
    assert type(compile_graph(identity)(X)) is tuple
    assert compile_graph(without_outputs)(X) == ()
    assert type(result(lambda x: np.linalg.slogdet(x @ x.T))) is tuple


def test_container_met_twice_is_one_object(compile_graph):
    items = captured(lambda x: [x, x + 1], X).graph
    (shared,) = items.outputs
    items.outputs[:] = [shared, (1, shared), {"k": shared}]
    first, (_, second), third = compile_graph(items)(X)
    assert first is second is third["k"] and first[0] is X
    again, *_ = compile_graph(items)(X)
    assert again is not first


def test_equal_constants_of_other_types_stay_apart(compile_graph):
    graph = passing(1, 1.0, True, 0.0, -0.0, 1 + 0j, np.float64(1), (1,), (1.0,), 2**80, "1")
    graph.outputs += [float("inf"), slice(None), {}, [], ...]
    assert repr(compile_graph(graph)(X)) == repr(tuple(graph.outputs))
    assert repr(compile_graph(graph)(X)[4]) == "-0.0"


def test_lists_without_nodes_are_new_each_time(compile_graph):
    region = compile_graph(passing([1, 2], {}))
    assert region(X)[0] is not region(X)[0] and region(X)[1] is not region(X)[1]


def test_output_that_contains_itself_is_an_internal_error():
    graph = passing([1])
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
    def misfit(x, y):
        x + y
        t = x * y
        return x

    def divided(x, y):
        x / y
        return x

    with pytest.raises(ValueError):
        captured(misfit, X, X).compiled(compile_graph)(X, np.ones((5, 5)))
    with np.errstate(divide="raise"), pytest.raises(FloatingPointError):
        captured(divided, X, X).compiled(compile_graph)(X, X * 0)


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
    a = Node(new, (x,), (), kind, Origin("user.py", 2))
    b = Node(ADD, (a, 1), (), kind, Origin("user.py", 3))
    c = Node(see, (x,), (), kind, Origin("user.py", 4))
    region = generated.compile_graph(Graph([x], [a, b, c], [b]))
    region(X)
    assert alive == [[False]]


def chain(op, count, *rest):
    """A graph of `count` operations, each on the result of the one before, from the stack."""
    kind = describe(X)
    nodes = [Node(INPUT, (0,), (), kind, Origin("user.py", 1))]
    for _ in range(count):
        temporaries = (0,) if len(nodes) > 1 else ()
        nodes.append(Node(op, (nodes[-1], *rest), (), kind, Origin("user.py", 2, temporaries)))
    return Graph(nodes[:1], nodes[1:], nodes[-1:])


def sum_of_inputs(count):
    """A graph that adds up `count` numbers, from left to right."""
    kind, origin = describe(np.float64(0)), Origin("user.py", 1)
    inputs = [Node(INPUT, (index,), (), kind, origin) for index in range(count)]
    total, nodes = inputs[0], []
    for number in inputs[1:]:
        total = Node(ADD, (total, number), (), kind, origin)
        nodes.append(total)
    return Graph(inputs, nodes, [total])


def test_deep_expressions_and_many_inputs_compile():
    same(generated.compile_graph(chain(ADD, 300, 1))(X), sum([X, *[1] * 300]))
    sine, wanted = Op("numpy.sin", np.sin, "ufunc"), X
    for _ in range(90):
        wanted = np.sin(wanted)
    same(generated.compile_graph(chain(sine, 90))(X), wanted)
    values = [np.float64(number) for number in range(300)]
    same(generated.compile_graph(sum_of_inputs(300))(*values), sum(values[1:], values[0]))


def test_in_place_operation_on_a_value_of_the_stack_compiles():
    def program(x):
        t = x * 2
        v = t[1:]
        v += 1
        return t

    graph = captured(program, X).graph
    object.__setattr__(graph.nodes[2], "origin", Origin("program.py", 4, (0,)))
    same(generated.compile_graph(graph)(X), program(X))


def increased(x):
    return x + 1


def test_generated_code_says_where_it_comes_from():
    region = generated.compile_graph(captured(increased, X).graph)
    region(X)
    line = increased.__code__.co_firstlineno + 1
    assert region.__code__.co_filename == f"<dyntrace region {__file__}:{line}>"
    assert region.__globals__["__name__"] == "dyntrace.exec.generated"
    assert region.__module__ == "dyntrace.exec.generated"


def test_function_is_compiled_once_at_its_first_call_and_stays_the_same_object(monkeypatch):
    compiled = []
    generate = generation.generated_code
    monkeypatch.setattr(
        generation, "generated_code", lambda *args: compiled.append(args) or generate(*args)
    )
    region = generated.compile_graph(captured(increased, X).graph)
    assert not compiled
    for _ in range(3):
        same(region(X), X + 1)
    assert len(compiled) == 1


def test_region_that_was_never_called_leaves_no_cycle():
    region = generated.compile_graph(captured(increased, X).graph)
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
