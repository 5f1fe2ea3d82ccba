"""Generators, coroutines and async generators with long loops, and code that is not a function."""

import contextlib
import types

import numpy as np
import pytest

import dyntrace
from tests.scenarios.loops.hot import PASSES, TROUBLE, at_once, hot


def run(coroutine):
    """Drive a coroutine that suspends at `Pause`, and collect what it suspended with."""
    seen = []
    try:
        while True:
            seen.append(coroutine.send(None))
    except StopIteration as stop:
        return seen, stop.value


class Pause:
    def __init__(self, value):
        self.value = value

    def __await__(self):
        yield self.value


@pytest.mark.parametrize("every", [1, 100, PASSES + 1])
def test_a_generator_that_yields_every_so_many_passes(every):
    def program(x, every):
        s = 0.0
        for i in range(len(x)):
            s += x[i]
            x[i] = s
            if i % every == every - 1:
                yield i, s
        yield "end", s

    hot(program, np.linspace(0.0, 1.0, PASSES), every, drive=list)


def test_an_array_changed_while_a_generator_is_suspended():
    def program(x):
        s = 0.0
        for i in range(len(x)):
            s += x[i]
            if i % 500 == 0:
                yield x
        yield s

    def drive(generator):
        seen = []
        for item in generator:
            if isinstance(item, np.ndarray):
                item[:] = item[::-1].copy()
                item[-1] += 1.0
            else:
                seen.append(item)
        return seen

    hot(program, np.linspace(0.0, 1.0, PASSES), drive=drive)


def test_values_sent_and_errors_thrown_into_a_long_loop():
    def program(n):
        s, step = 0, 1
        for i in range(n):
            s += step
            if i % 300 == 0:
                try:
                    step = (yield s) or step
                except KeyError as error:
                    s -= error.args[0]
        return s

    def drive(generator):
        seen = [next(generator), generator.send(3), generator.throw(KeyError(7))]
        seen.append(generator.send(2.5))
        try:
            while True:
                seen.append(next(generator))
        except StopIteration as stop:
            return seen, stop.value

    hot(program, PASSES, drive=drive)


def test_a_generator_closed_in_the_middle():
    def program(x):
        i = 0
        try:
            while True:
                x[i] += 1.0
                i += 1
                if i % 400 == 0:
                    yield i
        finally:
            print("closed at", i)

    def drive(generator):
        seen = [next(generator), next(generator)]
        generator.close()
        return seen

    hot(program, np.zeros(PASSES), drive=drive)


def test_generators_inside_a_generator():
    def inner(n):
        total = 0
        for i in range(n):
            total += i
            if i % 100 == 99:
                got = yield total
                total += got or 0
        return total

    def program(n):
        s = 0
        for k in range(3):
            s += yield from inner(n + k)
        for k, value in enumerate(inner(n)):
            s += k * value
        yield s

    hot(program, 900, drive=list)


def test_a_loop_over_a_generator_of_elements():
    def elements(x):
        for i in range(len(x)):
            yield x[i] * 0.5

    def program(x):
        s = 0.0
        for value in elements(x):
            s += value
        return s, sum(elements(x))

    hot(program, np.linspace(0.0, 1.0, PASSES))


@pytest.mark.parametrize("every", [1, 100, PASSES + 1])
def test_a_coroutine_with_a_long_loop(every):
    async def program(x, every):
        s = 0.0
        for i in range(len(x)):
            s += x[i]
            if i % every == every - 1:
                await Pause(i)
            x[i] = s
        return s, x

    hot(program, np.linspace(0.0, 1.0, PASSES), every, drive=run)


def test_an_async_generator_and_an_async_loop():
    async def numbers(n):
        s = 0
        for i in range(n):
            s += i
            if i % 100 == 99:
                await Pause(i)
                yield s

    async def program(n):
        total = 0
        async for value in numbers(n):
            total += value
        return total, [value async for value in numbers(n // 2)]

    hot(program, PASSES, drive=run)


def test_an_exception_out_of_a_suspended_loop():
    def program(x, trouble):
        for i in range(len(x)):
            x[i] = 1.0 / (i - trouble)
            if i % 250 == 0:
                yield i

    hot(program, np.zeros(PASSES), TROUBLE, drive=list)


def test_two_generators_of_one_function_in_turns():
    def program(x, step):
        s = 0.0
        for i in range(0, len(x), step):
            s += x[i]
            x[i] *= 0.5
            if i % 60 == 0:
                yield s

    def together(x):
        first, second = program(x, 1), program(x, 2)
        return [pair for pair in zip(first, second)]

    hot(together, np.linspace(0.0, 1.0, PASSES))


def test_loops_in_methods_and_closures_and_lambdas():
    class Filter:
        scale = 0.5

        def __init__(self, state):
            self.state = state

        def run(self, x):
            for i in range(len(x)):
                self.state = self.state * self.scale + x[i]
                x[i] = self.state
            return x

        @classmethod
        def scaled(cls, n):
            s = 0.0
            for i in range(n):
                s += i * cls.scale
            return s

        @staticmethod
        def total(n):
            s = 0
            for i in range(n):
                s += i
            return s

    def program(x, n):
        filter = Filter(0.0)
        partial = lambda n: [i * filter.state for i in range(n) if i % 7 == 0]  # noqa: E731
        return filter.run(x), Filter.scaled(n), Filter.total(n), partial(n)[-1]

    hot(program, np.linspace(0.0, 1.0, PASSES), PASSES)


def test_a_loop_at_module_level():
    source = """
import numpy as np
x = np.linspace(0.0, 1.0, 3000)
total, where = 0.0, -1
for i in range(len(x)):
    total += x[i]
    x[i] = total
    if i == 700:
        print("there", total)
while where < 2000:
    where += 1
    x[where] *= 0.5
"""
    outcomes = []
    for inside in (contextlib.nullcontext, dyntrace.optimize):
        module = types.ModuleType("looping")
        with inside(), at_once():
            exec(compile(source, "looping.py", "exec"), vars(module))
        outcomes.append((module.total, module.where, module.i, module.x.tobytes()))
    assert outcomes[0] == outcomes[1]
