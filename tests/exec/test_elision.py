"""Strides of results where eager NumPy reuses large temporaries, and where it does not."""

import itertools
import random

import numpy as np
import pytest

from dyntrace.exec.backends import generated, reference
from dyntrace.exec.checks import CannotProve
from dyntrace.graph.node import Origin
from tests.exec.comparing import same
from tests.trace.captured import captured, claiming_exact

SHAPES = {"255 KiB": (120, 272), "256 KiB": (128, 256), "257 KiB": (128, 257)}
SYMBOLS = ("+", "-", "*", "/", "//")
orders_of_three = pytest.mark.parametrize(
    "orders", list(itertools.product("CF", repeat=3)), ids="".join
)
each_shape = pytest.mark.parametrize("shape", list(SHAPES.values()), ids=list(SHAPES))


def array(seed, shape, order="C", dtype="f8"):
    items = np.random.default_rng(seed).integers(1, 100, shape) / 7
    return np.asarray(items.astype(dtype), order=order)


def agree(fn, *values, exact=None):
    """Both backends give the strides that eager gives, for the graph of all of `fn`."""
    program = captured(fn, *values)
    with np.errstate(all="ignore"):
        wanted = fn(*values)
        assert_strides(claiming_exact(program.graph, exact), program.inputs(values), wanted)


def assert_strides(graph, inputs, wanted):
    same(only(generated.compile_graph(graph)(*inputs)), wanted)
    same(only(reference.run(graph, inputs)), wanted)


def only(outputs):
    """The result of the function: a graph that returns a tuple has it as its only output."""
    return outputs[0] if type(outputs) is tuple else outputs


class Operators:
    """Each operator with a temporary on its left, on its right, and on both sides."""

    def plus(a, b, c):
        return (a * b) + c, c + (a * b), (a + b) + (c * c)

    def minus(a, b, c):
        return (a * b) - c, c - (a * b), (a + b) - (c * c)

    def times(a, b, c):
        return (a * b) * c, c * (a * b), (a + b) * (c * c)

    def divided(a, b, c):
        return (a * b) / c, c / (a * b), (a + b) / (c * c)

    def floor_divided(a, b, c):
        return (a * b) // c, c // (a * b), (a + b) // (c * c)


@each_shape
@pytest.mark.parametrize("name", [name for name in vars(Operators) if name[0] != "_"])
@orders_of_three
def test_stack_temporary_on_either_side(shape, name, orders):
    agree(
        getattr(Operators, name), *(array(seed, shape, order) for seed, order in enumerate(orders))
    )


@each_shape
@orders_of_three
def test_named_temporary_is_never_reused(shape, orders):
    def kept(a, b, c):
        t = a * b
        return t + c, t

    def named(a, b, c):
        t = a * b
        u = t + c
        return u

    values = [array(seed, shape, order) for seed, order in enumerate(orders)]
    agree(kept, *values)
    agree(named, *values)


CALLS = {
    "first": lambda a, c: np.sqrt(a) + c,
    "of an expression": lambda a, c: np.exp(a * a) - c,
    "second": lambda a, c: c * np.sort(a),
}


@pytest.mark.parametrize("name", CALLS)
@pytest.mark.parametrize("exact", [True, False])
def test_result_of_a_call_on_the_stack_is_reused(name, exact):
    values = array(1, (300, 300), "F"), array(2, (300, 300), "C")
    agree(CALLS[name], *values, exact=exact)


def test_checked_values_stay_temporaries():
    def program(a, c):
        return (a * a) + c

    values = array(1, (300, 300), "F"), array(2, (300, 300), "C")
    graph = claiming_exact(captured(program, *values).graph, False)
    assert generated.compile_graph(graph)(*values).flags.f_contiguous
    agree(program, *values, exact=False)


def test_temporary_used_twice_before_it_is_reused():
    """The sum reads the temporary; then only the stack holds it, and the addition reuses it."""

    def program(a, c):
        t = a * a
        s = t.sum()
        return t + c, s

    def handing_over(a, c):
        t = a * a
        box = [t, t.sum()]
        del t
        s = box.pop()
        return box.pop() + c, s

    values = array(1, (300, 300), "F"), array(2, (300, 300), "C")
    graph = captured(program, *values).graph
    total = graph.nodes[2]
    assert total.op.name == "operator.add"
    object.__setattr__(total, "origin", Origin("program.py", 3, (0,)))
    assert_strides(graph, values, handing_over(*values))


MIXED = {
    "view of an input": lambda a, c: a.T + c,
    "view of a temporary": lambda a, c: (a * a).T + c,
    "whole view of a temporary": lambda a, c: (a * a)[:, :] + c,
    "the input by another name": lambda a, c: np.asarray(a) + c,
    "row added": lambda a, row: (a * a) + row,
    "added to a row": lambda a, row: row + (a * a),
    "float added": lambda a: (a * a) + 2.0,
    "multiplied by an int": lambda a: 2 * (a * a),
    "negated": lambda a, c: -(a * a) + c,
    "squared": lambda a, c: (a * a) ** 2 + c,
    "square root": lambda a, c: c + (a * a) ** 0.5,
    "single number added to doubles": lambda a: (a + a) + np.float32(3),
    "double added to singles": lambda f, c: (f + f) + c,
    "float added to singles": lambda f: (f + f) + 2.5,
    "singles added to a double": lambda f, c: c + (f + f),
    "double number added to singles": lambda f: (f + f) + np.float64(2),
    "integers divided": lambda i: (i + i) / i,
    "integers floor-divided": lambda i: (i + i) // i,
    "shifted": lambda i: (i * i) << 2,
    "integers added": lambda i, i2: i2 + (i * i),
    "and, then or": lambda i, i2: (i & i2) | i2,
    "and, then xor": lambda i, i2: i2 ^ (i & i),
    "comparisons": lambda a, c: (a < c) & (c < a),
    "product of matrices": lambda a, c: (a * a) @ c + c,
    "quotient of expressions": lambda a, c: ((a + c) * (a - c)) / ((a * a) + (c * c)),
}


@pytest.mark.parametrize("name", MIXED)
def test_layouts_of_mixed_expressions(name):
    shape = (300, 300)
    operands = {
        "a": array(1, shape, "F"),
        "c": array(2, shape, "C"),
        "row": array(3, (300,)),
        "f": array(4, shape, "F", "f4"),
        "i": array(5, shape, "F", "i8"),
        "i2": array(6, shape, "C", "i8"),
    }
    code = MIXED[name].__code__
    agree(MIXED[name], *(operands[name] for name in code.co_varnames[: code.co_argcount]))


@pytest.mark.parametrize("seed", range(60))
def test_layouts_of_random_programs(seed):
    chance = random.Random(seed)
    shape = chance.choice([*SHAPES.values(), (300, 300), (64, 2, 256), (1, 33000)])
    values = [array(n, shape, chance.choice("CF")) for n in range(3)]
    values.append(array(9, shape, chance.choice("CF"), "f4"))
    values.append(array(8, shape[::-1]).T)
    names = ["a", "b", "c", "d", "e"]
    lines = []
    for number in range(chance.randint(2, 5)):
        value = expression(chance, names, 3)
        if value not in names:
            lines.append(f"    t{number} = {value}")
            value = f"t{number}"
        names.append(value)
    text = "def f(a, b, c, d, e):\n" + "\n".join(lines)
    text += f"\n    return {', '.join(names[-2:])}, {expression(chance, names, 2)}"
    space = {"np": np}
    exec(compile(text, "random.py", "exec"), space)
    agree(space["f"], *values, exact=chance.choice([True, False]))


def expression(chance, names, depth):
    if depth == 0 or chance.random() < 0.15:
        return chance.choice(names)
    left = expression(chance, names, depth - 1)
    form = chance.random()
    if form < 0.1:
        return f"np.sqrt({left})"
    if form < 0.2:
        return f"(-{left})"
    if form < 0.3:
        return f"({left} {chance.choice(SYMBOLS)} 2.0)"
    right = expression(chance, names, depth - 1)
    return f"({left} {chance.choice(SYMBOLS)} {right})"


def test_input_from_the_stack_deopts_only_where_its_reuse_would_show():
    values = array(1, (300, 300), "F"), array(2, (300, 300), "C"), array(3, (300, 300), "F")
    graph = captured(lambda a, c: a + c, *values[:2]).graph
    (total,) = graph.nodes
    object.__setattr__(total, "origin", Origin("program.py", 2, (0,)))
    region = generated.compile_graph(graph)
    with pytest.raises(CannotProve):
        region(*values[:2])
    same(region(values[0], values[2]), values[0] + values[2])
    small = [np.asfortranarray(values[0][:100, :100]), np.ascontiguousarray(values[1][:100, :100])]
    same(region(*small), small[0] + small[1])
