"""Functions beyond the limits of regions: many globals, attributes, locals that only pass through.

Invariant: what a region has no room for ends it, or leaves it out; it is never an internal error.
"""

import numpy as np
import pytest

import dyntrace


class Holder:
    pass


HOLDER = Holder()
for number in range(90):
    setattr(HOLDER, f"a{number}", str(number))
X = np.arange(4.0)
GLOBALS = {f"h{number}": float(number) for number in range(300)}


def nothing(*args):
    return None


def loops(x):
    for item in x:
        x = x + item
    return x


def made(source):
    namespace = {"np": np, "g": loops, "nothing": nothing, **GLOBALS}
    exec(source, namespace)
    return namespace["f"]


def same(fn, *args, least=1):
    fast = dyntrace.optimize(fn)
    for _ in range(4):
        got, wanted = fast(*args), fn(*args)
        assert repr(got) == repr(wanted)
    assert dyntrace.stats(fast).internal_errors == 0
    assert dyntrace.stats(fast).graph_calls >= least
    return fast


def lines(form, count):
    return "".join("  " + form.format(i=i) + "\n" for i in range(count))


def test_more_guards_than_an_entry_holds():
    same(made("def f(x):\n" + lines("x = x + h{i}", 300) + "  return x"), X)


def test_locals_that_pass_through_a_region_are_more_than_it_takes():
    head, tail = lines("a{i} = a[{i}]", 90), lines("b{i} = a{i}", 90)
    names = ", ".join(f"b{i}" for i in range(90))
    source = (
        f"def f(x, *a):\n{head}  nothing(0)\n{tail}  y = x * 2.0\n  nothing(1)\n  return y, {names}"
    )
    same(made(source), X, *range(90), least=0)


def test_attributes_that_pass_through_a_region_are_more_than_it_takes():
    names = ", ".join(f"b{i}" for i in range(90))
    body = lines("b{i} = o.a{i}", 90)
    fn = made(f"def f(x, o):\n{body}  y = x * 2.0\n  nothing(1)\n  return y, {names}")
    same(fn, X, HOLDER, least=0)


@pytest.mark.parametrize("count", range(246, 255))
def test_callee_beside_as_many_guards_as_an_entry_holds(count):
    body = lines("b{i} = h{i}", count)
    same(made(f"def f(x):\n{body}  y = x * 2.0\n  z = g(y)\n  return y, z, b0"), X)


@pytest.mark.parametrize("count", range(396, 402))
def test_method_that_leaves_beside_as_many_nodes_as_a_region_holds(count):
    body = lines("x = x + 1.0", count)
    same(made(f"def f(x):\n{body}  z = []\n  m = z.append\n  nothing(m)\n  m(1)\n  return x, z"), X)


def test_integers_too_long_to_be_written_in_decimal():
    huge = 1 << 30_000

    def along(x, axis):
        try:
            return np.sum(x + 1.0, axis=axis)
        except OverflowError as error:
            return str(error)

    same(along, X, huge, least=0)

    def into(x, number):
        try:
            return np.fabs(number, x.copy())
        except TypeError as error:
            return str(error)

    same(into, X, 1 << 70, least=0)
    fn = made(f"def f(x):\n  return (x + 1.0) * (len(x) % {huge:#x})")
    same(fn, X)
    assert hex(huge) in str(dyntrace.explain(fn)(X))
