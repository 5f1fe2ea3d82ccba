"""A call before every unit changes nothing: language constructs, each woven and compared with itself."""

from __future__ import annotations

import asyncio
import contextlib
import inspect
import itertools
import sys
import traceback

import pytest

from .weaving import weave, woven


def outcome(function, *arguments):
    """What a call returns, yields or raises, with the lines of the traceback."""
    try:
        result = function(*arguments)
        if inspect.isgenerator(result):
            result = list(result)
        elif inspect.iscoroutine(result):
            result = asyncio.run(result)
    except Exception as error:
        lines = [frame.lineno for frame in traceback.extract_tb(error.__traceback__)[1:]]
        return type(error), str(error), lines
    return result


def check(function, *argument_lists):
    """`function` and its woven form agree on each list of arguments, and the stubs ran."""
    counter = itertools.count()
    again = woven(function, counter.__next__)
    for arguments in argument_lists:
        for _ in range(30):  # past CPython's specialisation
            assert outcome(again, *arguments) == outcome(function, *arguments)
    assert next(counter) > 0


def test_try_except_else_finally():
    def program(f):
        log = []
        try:
            log.append(f())
        except (KeyError, ValueError) as error:
            log.append(repr(error))
            if isinstance(error, ValueError):
                raise RuntimeError("again") from error
        else:
            log.append("else")
        finally:
            log.append("finally")
        return log

    def key_error():
        raise KeyError("k")

    check(program, [int], [key_error], [lambda: int("x")], [lambda: 1 / 0])


def test_return_and_continue_through_finally():
    def program(values):
        log = []
        for value in values:
            try:
                if value == 1:
                    continue
                if value == 2:
                    break
                if value == 3:
                    return log
            finally:
                log.append(value)
        else:
            log.append("else")
        return log

    check(program, [[0, 1, 2, 5]], [[1, 1, 3]], [[0]], [[]])


def test_exception_groups_are_caught_and_split_as_before():
    def program(errors):
        log = []
        try:
            if errors:
                raise ExceptionGroup("group", errors)
        except* ValueError as group:
            log.append(("value", len(group.exceptions)))
        except* TypeError as group:
            log.append(("type", len(group.exceptions)))
        return log

    check(program, [[]], [[ValueError(), TypeError(), ValueError()]], [[KeyError(1), TypeError()]])


def test_with_blocks_enter_and_leave_as_before():
    @contextlib.contextmanager
    def manager(log, swallow):
        log.append("enter")
        try:
            yield "value"
        except ZeroDivisionError:
            if not swallow:
                raise
            log.append("swallowed")
        finally:
            log.append("exit")

    def program(divisor, swallow):
        log = []
        with manager(log, swallow) as value, manager(log, False):
            log.append(value)
            log.append(1 / divisor)
        return log

    check(program, [1, False], [0, True], [0, False])


def test_generators_receive_and_delegate():
    def inner():
        try:
            got = yield 1
        except KeyError:
            got = "key"
        return (yield got)

    def program():
        return (yield from inner())

    def drive(generator):
        log = [next(generator), generator.send("sent")]
        try:
            generator.send("last")
        except StopIteration as stop:
            log.append(stop.value)
        return log

    def throw(generator):
        log = [next(generator), generator.throw(KeyError())]
        generator.close()
        log.append(inspect.getgeneratorstate(generator))
        return log

    again = woven(program)
    for action in (drive, throw):
        for _ in range(30):
            assert action(again()) == action(program())
    delegating = again()
    next(delegating)
    assert delegating.gi_yieldfrom is not None
    with pytest.raises(RuntimeError, match="generator raised StopIteration"):
        delegating.throw(StopIteration)


def test_a_generator_that_raises_stop_iteration():
    def program(values):
        yield 1
        yield next(iter(values))

    check(program, [[5]], [[]])


def test_async_functions_suspend_as_before():
    class Manager:
        async def __aenter__(self):
            await asyncio.sleep(0)
            return 3

        async def __aexit__(self, *details):
            await asyncio.sleep(0)
            return details[0] is KeyError

    async def count(stop):
        for i in range(stop):
            await asyncio.sleep(0)
            yield i

    async def program(stop, error):
        log = []
        async with Manager() as value:
            log.append(value)
            async for i in count(stop):
                if i == 2:
                    continue
                log.append(i)
            else:
                log.append("else")
            if error:
                raise error("e")
        log.append([i async for i in count(stop)])
        return log + list(await asyncio.gather(asyncio.sleep(0, 1), asyncio.sleep(0, 2)))

    check(program, [4, None], [0, KeyError], [1, ValueError])


def test_cancelling_a_woven_coroutine_runs_its_finally():
    async def program(log):
        try:
            await asyncio.sleep(100)
        finally:
            log.append("finally")

    async def main(log):
        task = asyncio.create_task(woven(program)(log))
        await asyncio.sleep(0)
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task
        return log

    assert asyncio.run(main([])) == ["finally"]


def test_comprehensions_with_unbound_and_closed_over_names():
    def program(values, bind):
        if bind:
            x = "kept"
        squares = [x * x for x in values]
        pairs = {x: [y for y in range(x)] for x in values if x > 1}
        late = [lambda: x for x in values]
        nested = [[x + y for y in values] for x in values]
        return squares, pairs, [f() for f in late], nested, {x for x in values}, x

    check(program, [[1, 2, 3], True], [[], True], [[1, 2], False], [["a"], True])


def test_match_statements_choose_the_same_case():
    class Point:
        __match_args__ = ("x", "y")

        def __init__(self, x, y):
            self.x, self.y = x, y

    def program(subject):
        match subject:
            case 0 | 1:
                return "small"
            case [first, *rest] if rest:
                return first, rest
            case {"key": value, **others}:
                return value, others
            case Point(x, y=0):
                return "on the axis", x
            case str() as text:
                return text
            case _:
                return "other"

    subjects = [0, 1, 2, [1, 2, 3], [1], {"key": 1, "b": 2}, Point(1, 0), Point(1, 2), "text"]
    check(program, *([subject] for subject in subjects))


def test_calls_of_every_form():
    class Thing:
        def method(self, *args, **kwargs):
            return args, kwargs

    def program(thing, f):
        return [
            f(1, 2),
            f(1, b=2),
            f(*[1], **{"b": 2}),
            thing.method(1, k=2, **{"z": 3}),
            (lambda a, /, b=5, *, c: (a, b, c))(1, c=3),
            sorted([3, 1, 2], key=lambda v: -v),
            f"{f(1, 2)!r:>20}|{1.5:{6}.2f}{thing.method()}",
        ]

    def add(a, b=0):
        return a + b

    check(program, [Thing(), add])


def test_classes_and_super():
    def program(base):
        class Derived(base):
            name: str = "derived"

            def __init__(self, value):
                super().__init__()
                self.value = value

            @property
            def double(self):
                return self.value * 2

            def __repr__(self):
                return f"{__class__.__name__}({self.value})"

        return repr(Derived(2)), Derived(3).double, Derived.__annotations__

    check(program, [object], [dict])


def test_unpacking_slicing_and_deleting():
    def program(values):
        first, *middle, last = values = list(values)
        values[1:2] = [first, last]
        del values[0]
        a, b = b, a = middle[:2]
        first, last = last, first
        d = {**{"a": 1}, "b": a, **dict(c=b)}
        del first
        try:
            return first
        except UnboundLocalError:
            return values, middle, last, d, (*values, *middle), values[::2], {*values}

    check(program, [[1, 2, 3, 4]], [[1]])


def test_chained_conditions_and_walrus():
    def program(a, b):
        while (n := a) and not (0 < b < 10 or b is None):
            a, b = n - 1, b - 1
        assert a != 99, "message"
        return (a and b) or n, a if b else n, not a, a == b != n

    check(program, [5, 12], [0, 20], [3, None], [99, 1])


def test_globals_closures_and_imports():
    def program(value):
        global test_weaving_global
        count = value

        def increase():
            nonlocal count
            count += 1
            return count

        import os.path
        from math import floor as rounded

        test_weaving_global = increase()
        answer = test_weaving_global, rounded(2.5), os.path.sep, increase(), count
        del test_weaving_global
        return answer

    check(program, [1], [10])


def test_type_parameters_where_the_python_has_them():
    if sys.version_info < (3, 12):
        pytest.skip("type parameters came with 3.12")
    source = (
        "def program[T: int](x: T) -> T:\n    type Pair = tuple[T, T]\n    return x, repr(Pair)\n"
    )
    plain, again = {}, {}
    code = compile(source, "<types>", "exec")
    exec(code, plain)
    exec(weave(code, int), again)
    assert plain["program"](1) == again["program"](1)


def test_a_stub_between_null_and_call():
    """Stubs stand where the stack holds NULLs: below calls and inside inlined comprehensions."""

    def program(f, values):
        return f(f(1), [f(v) for v in values], key=f(2))

    def f(*args, key=None):
        return args, key

    check(program, [f, [1, 2]])


def test_long_jumps_and_many_constants():
    lines = [f"    if a == {i}:\n        x.append({i}.5)\n" for i in range(400)]
    source = "def program(a):\n  x = []\n  for a in (a, 399):\n" + "".join(lines) + "  return x\n"
    space = {}
    exec(source, space)
    check(space["program"], [0], [200], [-1])
    assert space["program"](7) == [7.5, 399.5]
