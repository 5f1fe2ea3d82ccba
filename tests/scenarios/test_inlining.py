"""Calls of user code: functions, lambdas, closures, methods, properties, partials, classes."""

import dataclasses
import functools
import operator

import numpy as np
import pytest

from tests.differential import check, check_calls, optimised

ARRAY = np.arange(1.0, 6.0)


def scale(x, factor=2, *, shift=0):
    return x * factor + shift


def variadic(*args, **kwargs):
    return args[0] * len(args) + sum(kwargs.values())


def chain(x):
    return scale(scale(x), 3, shift=1)


class Model:
    gain = 3

    def __init__(self, weight, bias):
        self.weight = weight
        self.bias = bias
        self.calls = 0

    def forward(self, x):
        return x @ self.weight + self.bias

    def counted(self, x):
        self.calls += 1
        return self.forward(x) * self.gain

    @property
    def norm(self):
        return np.sqrt((self.weight**2).sum())

    @classmethod
    def unit(cls, n):
        return cls(np.eye(n), np.zeros(n))

    @staticmethod
    def double(x):
        return x * 2

    def __call__(self, x):
        return np.tanh(self.forward(x))

    def __getitem__(self, index):
        return self.weight[index] + 1

    def __add__(self, other):
        return Model(self.weight + other, self.bias)


class Slotted:
    __slots__ = ("a", "b")

    def __init__(self, a, b):
        self.a = a
        self.b = b


@dataclasses.dataclass(frozen=True)
class Point:
    x: np.ndarray
    y: float = 2.0

    def moved(self, by):
        return dataclasses.replace(self, x=self.x + by)


def test_a_helper_with_defaults_and_keywords():
    def program(a):
        return scale(a), scale(a, 3), scale(a, factor=4), scale(a, shift=a), scale(x=a, shift=1)

    check(program, ARRAY, captured=10)


def test_a_helper_with_star_arguments():
    def program(a, *rest, **options):
        args = (a, 1, 2)
        return variadic(*args), variadic(a, *rest, k=a, **options), variadic(a, q=2)

    check(program, ARRAY, 3, kwargs={"z": 4})


def test_helpers_that_call_helpers():
    def program(a):
        return chain(a) - chain(chain(a))

    check(program, ARRAY, captured=12)


def test_a_closure_and_a_lambda_and_a_partial():
    k = 7

    def inner(x):
        return x * k

    half = functools.partial(scale, factor=0.5)
    plus = functools.partial(operator.add, 10)

    def program(a):
        return inner(a), (lambda v: v - k)(a), half(a), half(a, shift=2), plus(a)

    check(program, ARRAY, captured=5)


def test_a_closure_made_inside_the_function():
    def program(a):
        offset = a.sum()

        def inner(x):
            return x + offset

        b = inner(a)
        offset = offset * 2
        return b, inner(b)

    check(program, ARRAY)


def test_methods_and_instance_attributes():
    def program(model, x):
        y = model.forward(x)
        return (
            y,
            model.forward(y) * model.gain,
            model.weight[0],
            Model.double(x),
            model.bias is None,
        )

    check(program, Model(np.eye(3) * 2, np.ones(3)), np.arange(3.0), captured=["operator.matmul"])


def test_properties_and_class_and_static_methods():
    def program(model, x):
        other = model.unit(3)
        return model.norm * x, other.forward(x), model.double(x), type(model).gain

    check(program, Model(np.eye(3) * 2, np.ones(3)), np.arange(3.0))


def test_a_method_that_counts_its_calls():
    def program(model, x):
        for _ in range(3):
            x = model.counted(x) / 10
        return x, model.calls

    check(program, Model(np.eye(3) * 2, np.ones(3)), np.arange(3.0))


def test_special_methods_of_instances():
    def program(model, x):
        return model(x), model[0], model[1:], (model + 1).weight

    check(program, Model(np.eye(3) * 2, np.ones(3)), np.arange(3.0))


def test_slots_and_dataclasses_and_named_tuples():
    import collections

    Pair = collections.namedtuple("Pair", "left right")

    def program(s, p, pair):
        s.b = s.a * 2
        q = p.moved(1)
        left, right = pair
        return s.a + s.b, q.x * q.y, pair.left + right, Pair(left, 3), pair._replace(right=s.b)

    globals()["Pair"] = Pair
    check(program, Slotted(ARRAY, 1), Point(ARRAY), Pair(ARRAY, 2.0))


def test_instances_with_getattr_and_getattribute_run_their_code():
    class Dynamic:
        def __init__(self):
            self.log = []

        def __getattr__(self, name):
            self.log.append(name)
            return ARRAY * len(self.log)

    class Guarded:
        count = 0

        def __getattribute__(self, name):
            type(self).count += 1
            return 5

    def program(d, g, a):
        return a + d.x, a * d.x, d.log, a + g.anything, Guarded.count

    def make():
        Guarded.count = 0
        return Dynamic(), Guarded(), ARRAY

    check(program, make=make)


def test_setattr_and_descriptors_run_their_code():
    class Descriptor:
        def __get__(self, instance, owner):
            instance.log.append("get")
            return instance._value

        def __set__(self, instance, value):
            instance.log.append("set")
            instance._value = value

    class Holder:
        value = Descriptor()

        def __init__(self):
            self.log = []

    def program(h, a):
        h.value = a * 2
        h.value += 1
        return h.value + a, h.log

    check(program, make=lambda: (Holder(), ARRAY.copy()))


def test_super_and_inheritance():
    class Base:
        def apply(self, x):
            return x + 1

    class Child(Base):
        def apply(self, x):
            return super().apply(x * 2) - 1

    def program(c, x):
        return c.apply(x) * 2

    check(program, Child(), ARRAY)


def test_recursion_of_the_function_itself():
    def program(a, n):
        if n == 0:
            return a
        return program(a * 2 + n, n - 1) - 1

    check(program, ARRAY, 6)


def test_mutual_recursion_of_helpers():
    check(even, ARRAY, 7)


def even(a, n):
    return a if n == 0 else odd(a * 2, n - 1)


def odd(a, n):
    return a - 1 if n == 0 else even(a + 1, n - 1)


def test_a_helper_with_a_branch_and_a_loop():
    def clamp(x, lo):
        if x.min() < lo:
            x = np.maximum(x, lo)
        for _ in range(2):
            x = x * 1.5
        return x

    def program(a):
        return clamp(a, 3) + clamp(a * 2, 0)

    check(program, ARRAY)


def test_a_helper_that_prints_is_called_once():
    def noisy(x):
        y = x * 2
        print("noisy", y)
        return y + 1

    def program(a):
        b = a + 1
        c = noisy(b) * b
        return c - a

    check(program, ARRAY, captured=["operator.add", "operator.mul"])


def test_a_helper_that_raises_shows_its_frame():
    def fails(x, y):
        z = x * 2
        return z + y

    def program(a, b):
        return fails(a, b) - 1

    check(program, np.ones(3), np.ones(4))


def test_a_helper_called_wrongly_raises_like_eager():
    def program(a):
        b = a * 2
        return scale(b, 1, 2, 3)

    check(program, ARRAY)

    def unknown(a):
        b = a * 2
        return scale(b, nothing=1)

    check(unknown, ARRAY)


def test_a_helper_that_mutates_its_argument():
    def bump(x):
        x += 1
        return x

    def program(a):
        b = a * 2
        c = bump(b)
        bump(a)
        return b, c is b, a

    check(program, ARRAY)


def test_a_helper_returning_its_argument_or_none():
    def same(x):
        return x

    def nothing(x):
        x * 2

    def program(a):
        return same(a) is a, same(a), nothing(a), same(same(a)[1:]).base is a

    check(program, ARRAY)


def test_functions_passed_as_arguments():
    def program(f, a):
        b = f(a) + f(a * 2)
        return b, [g(a) for g in (np.sin, f, abs, scale)]

    check_calls(program, [(f, ARRAY) for f in (np.sin, np.cos, scale, lambda v: v - 1, abs) * 3])


def test_tools_of_functools_give_eagers_answer():
    @functools.wraps(scale)
    def wrapper(*args, **kwargs):
        return scale(*args, **kwargs) + 1

    @functools.lru_cache
    def table(n):
        return np.arange(n) * 2

    def program(a):
        total = functools.reduce(operator.mul, [a, a, 2])
        return wrapper(a, 3), table(5) + a, total, table(5) is table(5), operator.itemgetter(1)(a)

    check(program, ARRAY)


def test_decorated_helpers_give_eagers_answer():
    def loud(function):
        def inner(*args):
            print("calling", function.__name__)
            return function(*args)

        return inner

    @loud
    def work(x, y):
        return x * y - x

    def program(a):
        return work(a, 2) + work(a, a)

    check(program, ARRAY)


def test_a_bound_method_and_a_callable_object_are_optimised():
    model = Model(np.eye(3) * 2, np.ones(3))
    x = np.arange(3.0)
    for target in (model.forward, model):
        fast = optimised(target)
        for _ in range(3):
            assert np.array_equal(fast(x), target(x))


def test_optimize_as_a_decorator_in_a_class_body():
    import dyntrace

    class Body:
        k = 3

        @dyntrace.optimize
        def method(self, x):
            return x * self.k + 1

        @staticmethod
        @dyntrace.optimize
        def static(x):
            return x - 1

        @classmethod
        @dyntrace.optimize
        def make(cls, x):
            return x + cls.k

    for _ in range(3):
        assert np.array_equal(Body().method(ARRAY), ARRAY * 3 + 1)
        assert np.array_equal(Body.static(ARRAY), ARRAY - 1)
        assert np.array_equal(Body.make(ARRAY), ARRAY + 3)


def test_names_signature_and_defaults_are_kept():
    import inspect

    def program(a, b=2, *, c: int = 3) -> None:
        """Doc."""
        return a * b + c

    program.note = "kept"
    fast = optimised(program)
    assert fast.__name__ == "program" and fast.__doc__ == "Doc." and fast.note == "kept"
    assert inspect.signature(fast) == inspect.signature(program)
    assert fast.__defaults__ == program.__defaults__ and fast.__kwdefaults__ == {"c": 3}
    assert fast.__module__ == __name__ and fast.__qualname__ == program.__qualname__
    assert fast.__code__.co_varnames == program.__code__.co_varnames


def test_source_less_functions_are_optimised():
    space = {"np": np}
    exec("def program(a):\n    return np.sqrt(a) * 2", space)
    check(space["program"], ARRAY, captured=["numpy.sqrt"])
    check(eval("lambda a: a * 2 + 1"), ARRAY, captured=2)


@pytest.mark.parametrize(
    "name", ["mul", "add", "neg", "getitem", "matmul", "truediv", "lt", "iadd"]
)
def test_functions_of_the_operator_module(name):
    def program(f, a, b):
        return f(a, b) if name != "neg" else f(a)

    check(program, getattr(operator, name), ARRAY.copy(), 2 if name == "getitem" else ARRAY)
