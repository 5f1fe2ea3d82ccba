"""Calls whose callee, descriptors or defaults are not what they usually are."""

from __future__ import annotations

import functools
import types

import numpy as np

import dyntrace
from tests.differential.harness import check

A = np.arange(6.0)
B = A + 1


def looped(a):
    total = a * 0
    for factor in range(40):
        total = total + a * factor
    return total


def keep(function, value):
    return function is looped, value


def test_a_callee_that_is_also_an_argument_stays_itself_there():
    def f(a):
        b = a + 1
        return keep(looped, looped(b))

    def g(a):
        b = a + 1
        both = [looped, looped(b)]
        return both[0] is looped, both

    check(f, A)
    check(g, A)


def test_subclasses_of_the_descriptors_keep_their_say():
    class ClassProperty(property):
        def __get__(self, instance, owner=None):
            return self.fget(owner)

    class Static(staticmethod):
        def __get__(self, instance, owner=None):
            return lambda x: x * 50

    class Method(classmethod):
        def __get__(self, instance, owner=None):
            return lambda x: x * 70

    class Thing:
        z = 3.0

        @ClassProperty
        def k(cls):
            return cls.z

        @Static
        def s(x):
            return x

        @Method
        def c(cls, x):
            return x

    def f(thing, a):
        b = a + 1
        return b * thing.k, thing.s(b), thing.c(b)

    def make():
        thing = Thing()
        thing.z = 9.0
        return thing, A

    check(f, make=make)


def test_more_defaults_than_parameters():
    def one(a):
        return a * 2

    def two(a, b):
        return a * 2 + b

    one.__defaults__ = (B, A)
    two.__defaults__ = (B, A, 7.0)

    def f(a):
        b = a + 1
        return b + one(), two(b), two()

    check(f, A)


def test_the_field_names_of_a_dtype_can_change():
    record = np.dtype([("x", int), ("y", float)])

    def f(a):
        b = a + 1
        return record.names, b

    fast = dyntrace.optimize(f)
    for _ in range(4):
        fast(A)
    record.names = ("p", "q")
    assert fast(A)[0] == ("p", "q")


def test_two_free_variables_with_one_cell():
    def outer():
        p = q = 1.0

        def inner(a):
            nonlocal p
            b = a + 1
            p = b.sum()
            return b * q

        return inner

    inner = outer()
    cell = types.CellType(2.0)
    f = types.FunctionType(inner.__code__, inner.__globals__, "f", None, (cell, cell))
    fast = dyntrace.optimize(f)
    for _ in range(4):
        cell.cell_contents = 2.0
        expected = f(A)
        cell.cell_contents = 2.0
        assert np.array_equal(fast(A), expected)


def test_built_ins_are_those_of_when_the_function_was_made():
    namespace = {"np": np}
    source = "def {}(a):\n b = a + 1\n return abs(b) * len(b)\n"
    exec(source.format("f"), namespace)
    namespace["__builtins__"] = {"abs": lambda x: x * 100, "len": lambda x: 9}
    exec(source.format("g"), namespace)
    for function in (namespace["f"], namespace["g"]):
        fast = dyntrace.optimize(function)
        for _ in range(4):
            assert np.array_equal(fast(A), function(A))


def test_a_class_changed_more_often_than_types_have_versions():
    class Thing:
        scale = 1.0

    class Special(Thing):
        pass

    def f(thing, a):
        b = a + 1
        return b * thing.scale

    thing, fast = Special(), dyntrace.optimize(f)
    for step in range(2500):
        Thing.scale = float(step)
        if step % 10 == 0:
            assert np.array_equal(fast(thing, A), f(thing, A))


class Shy:
    """Not plain, so nothing guards the class against changes."""

    def __getattr__(self, name):
        raise AttributeError(name)


def test_a_class_with_getattr_can_become_callable():
    class Thing(Shy):
        pass

    def f(thing, a):
        b = a + 1
        return b if callable(thing) else b * 2

    thing, fast = Thing(), dyntrace.optimize(f)
    for _ in range(4):
        assert np.array_equal(fast(thing, A), f(thing, A))
    Thing.__call__ = lambda self: 1
    assert np.array_equal(fast(thing, A), f(thing, A))


def test_a_class_with_getattr_can_get_other_bases():
    class One:
        pass

    class Other:
        pass

    class Thing(One, Shy):
        pass

    def f(thing, a):
        b = a + 1
        return b if isinstance(thing, One) else b * 2

    thing, fast = Thing(), dyntrace.optimize(f)
    for _ in range(4):
        assert np.array_equal(fast(thing, A), f(thing, A))
    Thing.__bases__ = (Other, Shy)
    assert np.array_equal(fast(thing, A), f(thing, A))


def test_warnings_that_depend_on_a_shape_have_the_users_line():
    def f(a):
        b = a + 1
        return b, np.cross(a[:2], b[1:3])

    check(f, A)
    check(f, A[:2])


def test_what_a_partial_holds_is_read_each_time():
    def callee(a, b, k=1.0, s=0.0):
        return a * k + b - s

    def other(a, b, k=1.0, s=0.0):
        return a - b

    part = functools.partial(callee, B, k=2.0)

    def f(a):
        c = a + 1
        return part(c) + part(c, s=3.0, k=1)

    fast = dyntrace.optimize(f)
    for _ in range(4):
        assert np.array_equal(fast(A), f(A))
    part.keywords["k"] = 5.0
    assert np.array_equal(fast(A), f(A))
    part.__setstate__((other, (A,), {"k": 1.0}, {}))
    assert np.array_equal(fast(A), f(A))


def test_calling_a_class_asks_its_metaclass_nothing_more():
    asked = []

    class Meta(type):
        def __getattribute__(cls, name):
            asked.append(name)
            return type.__getattribute__(cls, name)

        def __call__(cls, *args):
            return 5

    class Thing(metaclass=Meta):
        pass

    def f(a):
        b = a + 1
        return Thing(a), b * 2

    fast = dyntrace.optimize(f)
    asked.clear()
    for _ in range(4):
        fast(A)
    assert asked == []
