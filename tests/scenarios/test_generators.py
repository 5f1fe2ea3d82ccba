"""Generators, coroutines, async generators: captured between their suspensions, in their first run too."""

import asyncio

import numpy as np

from tests.differential import check, check_calls, optimised

ARRAY = np.arange(1.0, 6.0)


def run(coroutine):
    """Drive a coroutine that suspends only at `Pause`, with one value sent per suspension."""
    events = []
    try:
        while True:
            events.append(coroutine.send(None if not events else len(events)))
    except StopIteration as stop:
        return stop.value, events


class Pause:
    def __init__(self, value):
        self.value = value

    def __await__(self):
        got = yield self.value
        return got


def test_a_generator_yields_array_work():
    def program(a, n):
        for i in range(n):
            a = a * 2 + i
            yield a, a.sum()
        return a

    check(program, ARRAY, 5, drive=list, captured=3)


def test_values_sent_and_thrown_into_a_generator():
    def program(a):
        total = a * 0
        try:
            while True:
                got = yield total
                total = total + a * got
        except KeyError as error:
            yield total * 2, error.args
        finally:
            print("closed", total)

    def drive(g):
        seen = [next(g), g.send(2), g.send(ARRAY), g.throw(KeyError("k"))]
        g.close()
        return seen

    check(program, ARRAY, drive=drive)


def test_a_generator_closed_early_runs_its_finally_once():
    def program(a):
        try:
            b = a * 2
            yield b
            yield b + 1
        finally:
            print("finally", a.sum())

    def drive(g):
        first = next(g)
        del g
        return first

    check(program, ARRAY, drive=drive)


def test_a_numpy_error_inside_a_generator():
    def program(a, b):
        yield a * 2
        try:
            yield a + b
        except ValueError as error:
            yield str(error)
        yield a @ b

    check(program, np.ones(3), np.ones(4), drive=list)


def test_yield_from_and_generator_expressions():
    def inner(a):
        got = yield a * 2
        return a + (got or 0)

    def program(a):
        x = yield from inner(a)
        y = yield from inner(x)
        yield sum(v * 2 for v in y)
        yield [r.sum() for r in (a * k for k in range(3))]

    check(program, ARRAY, drive=list)


def test_several_generators_of_one_function_interleave():
    def program(a, k):
        for i in range(4):
            a = a * k + i
            yield a

    def drive_two(pair):
        return [v for both in zip(*pair, strict=True) for v in both]

    def both(a):
        return program(a, 2), program(a.astype(np.float32), 3)

    check(both, ARRAY, drive=drive_two)


def test_a_long_generator_is_compiled_while_it_runs():
    def program(a, n):
        for i in range(n):
            a = a * 0.99 + i
            if i % 300 == 0:
                yield a

    check(program, ARRAY, 1500, drive=list, calls=2)


def test_a_coroutine_with_awaits_between_array_work():
    async def program(a):
        b = a * 2
        got = await Pause(b.sum())
        c = b + (got or 0)
        more = await Pause(c)
        return c * (more or 1)

    check(program, ARRAY, drive=run, captured=["operator.mul", "operator.add"])


def test_async_with_and_async_for():
    class Scope:
        async def __aenter__(self):
            print("enter")
            return await Pause("in") or 2

        async def __aexit__(self, *details):
            print("exit", details[0])
            await Pause("out")
            return True

    class Countdown:
        def __init__(self, n):
            self.n = n

        def __aiter__(self):
            return self

        async def __anext__(self):
            if not self.n:
                raise StopAsyncIteration
            self.n -= 1
            return self.n

    async def program(a, b):
        async with Scope() as s:
            a = a * s + 1
            async for i in Countdown(3):
                a = a + i
                print(a)
            a = a + b
            print("not reached when shapes differ")
        return a * 2, [i * a async for i in Countdown(2)]

    check(program, np.ones(3), np.ones(3), drive=run)
    check(program, np.ones(3), np.ones(4), drive=run)


def test_async_generators_yield_what_eager_yields():
    async def numbers(a, n):
        for i in range(n):
            yield a * i
            await Pause(i)

    async def program(a):
        total = 0
        async for x in numbers(a, 3):
            total = total + x
        return total

    check(program, ARRAY, drive=run)


def test_the_event_loop_of_asyncio():
    async def work(a, k):
        b = a * k
        await asyncio.sleep(0)
        return b + 1

    async def program(a):
        parts = await asyncio.gather(work(a, 1), work(a, 2))
        return np.stack(parts).sum(axis=0)

    check(program, ARRAY, drive=asyncio.run, calls=3)


def test_optimize_keeps_what_kind_of_function_it_is():
    import inspect

    def generator(a):
        yield a * 2

    async def coroutine(a):
        return a * 2

    async def asynchronous(a):
        yield a * 2

    assert inspect.isgeneratorfunction(optimised(generator))
    assert inspect.iscoroutinefunction(optimised(coroutine))
    assert inspect.isasyncgenfunction(optimised(asynchronous))


def test_generators_with_changing_kinds():
    def program(a, n):
        for i in range(n):
            a = a * 2
            yield a
            a = a + i

    check_calls(
        program, [(v, 3) for v in (ARRAY, 2, ARRAY.astype(int), 1.5, ARRAY)] * 2, drive=list
    )


def test_a_contextmanager_generator_with_an_error_inside():
    import contextlib

    @contextlib.contextmanager
    def scope(a):
        b = a * 2
        try:
            yield b
        except ValueError as error:
            print("seen", error)
            b += 1
        print("left", b)

    def program(a, c):
        with scope(a) as b:
            d = b * 3
            d = d + c
        return b, d

    check(program, np.ones(3), np.ones(3))

    def caught(a, c):
        d = None
        with scope(a) as b:
            d = b + c
        return b, d

    check(caught, np.ones(3), np.ones(4))
