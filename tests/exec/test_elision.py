"""Strides of results where eager NumPy reuses large temporaries, and where it does not."""

import itertools
import random

import numpy as np
import pytest

from dyntrace.exec.backends import generated, reference
from dyntrace.exec.checks import CannotProve
from dyntrace.graph.node import Origin
from tests.exec.comparing import same
from tests.exec.programs import Program

SHAPES = {"255 KiB": (120, 272), "256 KiB": (128, 256), "257 KiB": (128, 257)}
OPERATORS = ("+", "-", "*", "/", "//")


def array(seed, shape, order="C", dtype="f8"):
    items = np.random.default_rng(seed).integers(1, 100, shape) / 7
    return np.asarray(items.astype(dtype), order=order)


def agree(program, *values):
    with np.errstate(all="ignore"):
        wanted = program.eager(*values)
        same(generated.compile_graph(program.graph)(*values), wanted)
        same(reference.run(program.graph, values), wanted)


@pytest.mark.parametrize("shape", list(SHAPES.values()), ids=list(SHAPES))
@pytest.mark.parametrize("operator", OPERATORS)
@pytest.mark.parametrize("orders", list(itertools.product("CF", repeat=3)), ids="".join)
def test_stack_temporary_on_either_side(shape, operator, orders):
    values = [array(seed, shape, order) for seed, order in enumerate(orders)]
    for text in (f"(a * b) {operator} c", f"c {operator} (a * b)", f"(a + b) {operator} (c * c)"):
        agree(Program(f"def f(a, b, c):\n    return {text}", *values), *values)


@pytest.mark.parametrize("shape", list(SHAPES.values()), ids=list(SHAPES))
@pytest.mark.parametrize("orders", list(itertools.product("CF", repeat=3)), ids="".join)
def test_named_temporary_is_never_reused(shape, orders):
    values = [array(seed, shape, order) for seed, order in enumerate(orders)]
    program = Program("def f(a, b, c):\n    t = a * b\n    return t + c, t", *values)
    agree(program, *values)
    program = Program("def f(a, b, c):\n    t = a * b\n    u = t + c\n    return u", *values)
    agree(program, *values)


@pytest.mark.parametrize("text", ["np.sqrt(a) + c", "np.exp(a * a) - c", "c * np.sort(a)"])
@pytest.mark.parametrize("exact", [True, False])
def test_result_of_a_call_on_the_stack_is_reused(text, exact):
    values = array(1, (300, 300), "F"), array(2, (300, 300), "C")
    agree(Program(f"def f(a, c):\n    return {text}", *values, exact=exact), *values)


def test_checked_values_stay_temporaries():
    values = array(1, (300, 300), "F"), array(2, (300, 300), "C")
    program = Program("def f(a, c):\n    return (a * a) + c", *values, exact=False)
    assert generated.compile_graph(program.graph)(*values).flags.f_contiguous
    agree(program, *values)


def test_temporary_used_twice_before_it_is_reused():
    """As an inlined call leaves it: `t` is dead when its value is on the stack."""
    values = array(1, (300, 300), "F"), array(2, (300, 300), "C")
    program = Program("def f(a, c):\n    t = a * a\n    s = t.sum()\n    return t + c, s", *values)
    total = program.graph.nodes[2]
    assert total.op.name == "operator.add"
    object.__setattr__(total, "origin", Origin("program.py", 3, (0,)))

    def eager(a, c):
        def inner():
            t = a * a
            return t, t.sum()

        box = list(inner())
        s = box.pop()
        return box.pop() + c, s

    program.eager = eager
    agree(program, *values)


@pytest.mark.parametrize(
    "text",
    [
        "a.T + c",
        "(a * a).T + c",
        "(a * a)[:, :] + c",
        "np.asarray(a) + c",
        "(a * a) + row",
        "row + (a * a)",
        "(a * a) + 2.0",
        "2 * (a * a)",
        "-(a * a) + c",
        "(a * a) ** 2 + c",
        "c + (a * a) ** 0.5",
        "(a + a) + np.float32(3)",
        "(f + f) + c",
        "(f + f) + 2.5",
        "c + (f + f)",
        "(f + f) + np.float64(2)",
        "(i + i) / i",
        "(i + i) // i",
        "(i * i) << 2",
        "i2 + (i * i)",
        "(i & i2) | i2",
        "i2 ^ (i & i)",
        "(a < c) & (c < a)",
        "(a * a) @ c + c",
        "((a + c) * (a - c)) / ((a * a) + (c * c))",
    ],
)
def test_layouts_of_mixed_expressions(text):
    shape = (300, 300)
    values = (
        array(1, shape, "F"),
        array(2, shape, "C"),
        array(3, (300,)),
        array(4, shape, "F", "f4"),
        array(5, shape, "F", "i8"),
        array(6, shape, "C", "i8"),
    )
    agree(Program(f"def f(a, c, row, f, i, i2):\n    return {text}", *values), *values)


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
        lines.append(f"    t{number} = {expression(chance, names, 3)}")
        names.append(f"t{number}")
    text = "def f(a, b, c, d, e):\n" + "\n".join(lines)
    text += f"\n    return {', '.join(names[-2:])}, {expression(chance, names, 2)}"
    agree(Program(text, *values, exact=chance.choice([True, False])), *values)


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
        return f"({left} {chance.choice(OPERATORS)} 2.0)"
    right = expression(chance, names, depth - 1)
    return f"({left} {chance.choice(OPERATORS)} {right})"


def test_input_from_the_stack_deopts_only_where_its_reuse_would_show():
    values = array(1, (300, 300), "F"), array(2, (300, 300), "C"), array(3, (300, 300), "F")
    program = Program("def f(a, c, e):\n    return a + c", *values)
    (total,) = program.graph.nodes
    object.__setattr__(total, "origin", Origin("program.py", 2, (0,)))
    region = generated.compile_graph(program.graph)
    with pytest.raises(CannotProve):
        region(*values)
    same(region(values[0], values[2], values[2]), values[0] + values[2])
    small = [np.asfortranarray(value[:100, :100]) for value in values]
    small[1] = np.ascontiguousarray(small[1])
    same(region(*small), small[0] + small[1])
