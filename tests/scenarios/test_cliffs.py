"""Sizes of programs: at a limit all is one graph, beyond it a reason names the limit and the line.

Invariant: no size makes array work fall back to eager without a word. `PROGRAMS` has a row for each
limit: what grows, sizes within the limit, and beyond it the code that tells.
"""

from __future__ import annotations

import time

import numpy as np
import pytest

import dyntrace
from dyntrace.trace.marks import tag_of
from tests.differential import check, explanation

A = np.arange(6.0)


class Plain:
    """An instance whose attributes are set from outside."""

    def __init__(self, **attributes):
        self.__dict__.update(attributes)


def made(body, parameters, **names):
    space = {"np": np, "clock": time.perf_counter, "__name__": "cliffs", **names}
    exec(f"def f({parameters}):\n" + body, space)
    return space["f"]


def names(count):
    return [f"v{i}" for i in range(count)]


def arrays(count):
    return [A + i for i in range(count)]


def total(count, form="{} * 2"):
    return " + ".join(form.format(name) for name in names(count))


def callee(parameters, body):
    return made(f"  return {body}\n", parameters)


def positional(count):
    g = callee(", ".join(names(count)), total(count))
    return made("  return g(*args)\n", "*args", g=g), arrays(count)


def by_keyword(count):
    g = callee(", ".join(names(count)), total(count))
    return made("  return g(**table)\n", "table", g=g), [dict(zip(names(count), arrays(count)))]


def keyword_only(count):
    g = callee("*, " + ", ".join(names(count)), total(count))
    given = ", ".join(f"{name}=a" for name in names(count))
    return made(f"  return g({given})\n", "a", g=g), [A]


def defaults(count):
    g = callee(
        "a, " + ", ".join(f"{name}={i}.0" for i, name in enumerate(names(count))),
        total(count) + " + a",
    )
    return made("  return g(a)\n", "a", g=g), [A]


def parameters(count):
    return made(f"  return {total(count)}\n", ", ".join(names(count))), arrays(count)


def unpacked_tuple(count):
    body = f"  {', '.join(names(count))} = items\n  return {total(count)}\n"
    return made(body, "items"), [tuple(arrays(count))]


def unpacked_list(count):
    return unpacked_tuple(count)[0], [arrays(count)]


def attributes(count):
    values = dict(zip(names(count), arrays(count)))
    return made(f"  return np.sqrt(o.v0 * 2) - o.v{count - 1}\n", "o"), [Plain(**values)]


def slots(count):
    cls = type("Slotted", (), {"__slots__": tuple(names(count)), "__module__": "cliffs"})
    instance = cls()
    for name, array in zip(names(count), arrays(count)):
        setattr(instance, name, array)
    return made(f"  return np.sqrt(o.v0 * 2) - o.v{count - 1}\n", "o"), [instance]


def keys(count):
    body = f"  return np.sqrt(d['v0'] * 2) - d['v{count - 1}']\n"
    return made(body, "d"), [dict(zip(names(count), arrays(count)))]


def nested(wrap, read):
    def program(depth):
        value = A
        for _ in range(depth):
            value = wrap(value)
        return made(f"  x = o{read * depth}\n  return np.sqrt(x * 2 + 1) - x\n", "o"), [value]

    return program


def closure(count):
    lines = "".join(f"  {name} = A + {i}\n" for i, name in enumerate(names(count)))
    body = lines + f"  def inner(x):\n    return x + {total(count)}\n  return inner\n"
    return made(body, "", A=A)(), [A]


def operations(count):
    lines = "".join(f"  a = a * 1.01 + {i}\n" for i in range(count // 2))
    return made(lines + "  return a\n", "a"), [A]


def results(count):
    lines = "".join(f"  {name} = a * {i}\n" for i, name in enumerate(names(count)))
    return made(lines + f"  return [{', '.join(names(count))}]\n", "a"), [A]


def locals_over_a_break(count):
    lines = "".join(f"  {name} = a * {i}\n" for i, name in enumerate(names(count)))
    return made(lines + f"  clock()\n  return {total(count)}\n", "a"), [A]


def calls_in_one_another(count):
    inner = callee("a", "a * 2 + 1")
    for i in range(count - 1):
        inner = made(f"  return g(a) + {i}\n", "a", g=inner)
    return made("  return g(a) - 1\n", "a", g=inner), [A]


def turns_of_an_inlined_loop(count):
    g = made(f"  for i in range({count}):\n    a = a * 1.01 + i\n  return a\n", "a")
    return made("  return g(a) - 1\n", "a", g=g), [A]


def items_of_an_inlined_loop(count):
    g = made("  for x in items:\n    a = a * 1.01 + x\n  return a\n", "a, items")
    numbers = tuple(float(i) for i in range(count))
    return made("  return g(a, items) - 1\n", "a, items", g=g), [A, numbers]


def dimensions(count):
    return made("  return np.sqrt(a * 2 + 1) - a\n", "a"), [np.ones((2, 3) + (1,) * (count - 2))]


# What grows: sizes at which all work is one graph, and sizes beyond with the code that says why.
PROGRAMS = {
    positional: ((16, 17, 64, 65, 180), {257: "DT217"}),
    by_keyword: ((16, 17, 64, 65, 180), {257: "DT217"}),
    keyword_only: ((64, 65, 190), {401: "DT403"}),
    defaults: ((64, 65, 180), {250: "DT403"}),
    parameters: ((16, 60), {61: "DT403", 65: "DT403", 200: "DT403"}),
    unpacked_tuple: ((16, 64, 65, 180), {200: "DT403", 257: "DT217"}),
    unpacked_list: ((16, 64, 65, 180), {200: "DT403", 257: "DT217"}),
    attributes: ((16, 64, 65, 256), {257: "DT217"}),
    slots: ((16, 64, 65, 256), {257: "DT217"}),
    keys: ((16, 64, 65, 256), {257: "DT217"}),
    nested(lambda value: (value, 1), "[0]"): ((1, 3), {4: "DT217", 6: "DT217"}),
    nested(lambda value: {"k": value}, "['k']"): ((1, 3), {4: "DT217", 6: "DT217"}),
    nested(lambda value: Plain(k=value), ".k"): ((1, 3), {4: "DT217", 6: "DT217"}),
    closure: ((8, 50), {64: "DT403", 200: "DT403"}),
    operations: ((100, 400), {402: "DT403", 900: "DT403"}),
    results: ((60, 61, 200, 400), {401: "DT403"}),
    calls_in_one_another: ((3, 12), {13: "DT103", 20: "DT103"}),
    turns_of_an_inlined_loop: ((8, 32), {33: "DT103", 100: "DT103"}),
    items_of_an_inlined_loop: ((8, 64, 65, 150), {300: "DT103"}),
    dimensions: ((3, 24), {25: "DT606", 64: "DT606"}),
}
WITHIN = [(program, size) for program, (sizes, _) in PROGRAMS.items() for size in sizes]
BEYOND = [
    (program, size, code)
    for program, (_, sizes) in PROGRAMS.items()
    for size, code in sizes.items()
]


def codes_of(found):
    return {item.code for item in found.breaks} | {note.partition(":")[0] for note in found.notes}


@pytest.mark.parametrize(("program", "size"), WITHIN)
def test_within_a_limit_all_work_is_one_graph(program, size):
    function, args = program(size)
    found = explanation(function, *args)
    assert (len(found.graphs), codes_of(found)) == (1, set())
    check(function, *args)


@pytest.mark.parametrize(("program", "size", "code"), BEYOND)
def test_beyond_a_limit_its_reason_is_told(program, size, code):
    function, args = program(size)
    found = explanation(function, *args)
    assert code in codes_of(found)
    lines = [item.lineno for item in found.breaks if item.code == code]
    assert all(lines) and (lines or any("line" in note for note in found.notes))
    check(function, *args)


@pytest.mark.parametrize("size", [61, 65, 100, 200])
def test_many_parameters_and_locals_make_as_few_graphs_as_their_number_needs(size):
    for program, most in ((parameters, 1 + size // 50), (locals_over_a_break, 2 + size // 50)):
        function, args = program(size)
        assert len(explanation(function, *args).graphs) <= most
        check(function, *args)


@pytest.mark.parametrize("size", [8, 9, 20, 50])
def test_as_many_values_as_an_iterator_gives_are_known_once_seen(size):
    body = f"  {', '.join(names(size))} = map(np.abs, [a] * {size})\n  return {total(size)}\n"
    function = made(body, "a")
    fast = dyntrace.optimize(function)
    for _ in range(4):
        assert np.array_equal(fast(A), function(A))
    found = dyntrace.explain(fast)(A)
    assert [graph.op_count for graph in found.graphs] == [2 * size - 1]


@pytest.mark.parametrize("read", ["d[0]", "d[-1]", "d[0] * d[-1]"])
def test_a_list_that_grows_is_read_by_one_graph(read):
    function = made(f"  return np.sqrt(a * 2 + {read}) - a\n", "a, d")
    fast = dyntrace.optimize(function)
    for size in range(1, 60):
        items = [float(i) for i in range(size)]
        assert np.array_equal(fast(A, items), function(A, items))
    assert dyntrace.stats(fast).misses <= 1


def test_a_dict_that_grows_is_read_by_one_graph():
    function = made("  return np.sqrt(a * 2 + d['first']) - a\n", "a, d")
    fast = dyntrace.optimize(function)
    table = {"first": A}
    for size in range(60):
        table[f"k{size}"] = size
        assert np.array_equal(fast(A, table), function(A, table))
    assert dyntrace.stats(fast).misses == 0
    del table["first"]
    with pytest.raises(KeyError):
        fast(A, table)


# Loops that read another key, name or index in each turn: the statements, and the arguments.
VARYING = {
    "keys of a dict": ("for k in d: s = s + d[k] * 2 - 1", "d"),
    "keys made of text": ("for i in range(len(d)): s = s + d[f'k{i}'] * 2 - 1", "d"),
    "keys of another dict": ("for k, v in d.items(): s = s + (v - d[k] * 2)", "d"),
    "an index that is counted": (
        "i = 0\n  while i < len(l):\n    s = s + l[i] * 2 - 1\n    i += 1",
        "l",
    ),
    "names that are compared": (
        "for k in list(d):\n    if k == 'k1': s = s * 2 + A\n    else: s = s + A - 0.5 * s",
        "d",
    ),
    "an argument of a helper": ("for i in range(len(l)): s = s + item(l, i)", "l"),
}


@pytest.mark.parametrize("case", VARYING)
def test_what_varies_from_turn_to_turn_is_not_read_by_value(case):
    text, parameter = VARYING[case]
    item = made("  return l[i] * 2 - 1\n", "l, i")
    function = made(f"  s = 0.0\n  {text}\n  return s\n", parameter, A=A, item=item)
    many = arrays(40)
    argument = many if parameter == "l" else {f"k{i}": array for i, array in enumerate(many)}
    fast = dyntrace.optimize(function)
    for _ in range(3):
        assert np.array_equal(fast(argument), function(argument))
    before = dyntrace.stats(fast)
    for _ in range(5):
        assert np.array_equal(fast(argument), function(argument))
    after = dyntrace.stats(fast)
    assert after.misses == before.misses and after.retired == 0
    assert after.graph_calls - before.graph_calls >= 5 * (len(many) - 1)


def test_a_few_modes_are_still_read_by_value():
    def program(a, mode):
        return a * 2 + 1 if mode == "double" else np.sqrt(a) - 1 if mode == "root" else a - 1

    fast = dyntrace.optimize(program)
    for _ in range(4):
        for mode in ("double", "root", "less"):
            assert np.array_equal(fast(A, mode), program(A, mode))
    assert dyntrace.explain(fast)(A, "double").breaks == []
    runs = [runs for known in tag_of(fast).compiled.used() for runs in known.region.runs]
    assert len(runs) == 3 and min(runs) >= 2  # of a region for each mode, or of one with three


@pytest.mark.parametrize("others", [[], {}], ids=["list", "dict"])
def test_an_item_that_is_gone_is_missed_though_nobody_uses_it(others):
    function = made("  b = a + 1\n  d[0]\n  return b\n", "a, d")
    fast = dyntrace.optimize(function)
    full = {0: A} if isinstance(others, dict) else [A]
    for _ in range(3):
        assert np.array_equal(fast(A, full), function(A, full))
    with pytest.raises((IndexError, KeyError)):
        fast(A, others)
