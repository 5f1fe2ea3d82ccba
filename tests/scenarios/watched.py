"""Programs for tests with tools that watch: each calls `pause` between its array work."""

from __future__ import annotations

import contextlib

import numpy as np

import dyntrace

__all__ = ["PROGRAMS", "during_pause", "run"]

_actions: list = []


@contextlib.contextmanager
def during_pause(action):
    """Have `pause` call `action` once."""
    _actions.append(action)
    try:
        yield
    finally:
        _actions.clear()


@dyntrace.disable
def pause():
    if _actions:
        _actions.pop()()


def run(function, x):
    """The result of `function`: of a coroutine what it returns, of a generator what it yields."""
    result = function(x)
    if hasattr(result, "send") and hasattr(result, "cr_frame"):
        try:
            while True:
                result.send(None)
        except StopIteration as stop:
            return stop.value
    return list(result) if hasattr(result, "gi_frame") else result


class Awaitable:
    def __await__(self):
        yield
        return 2.0


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


class Manager:
    def __enter__(self):
        return 1.5

    def __exit__(self, *exc):
        return True

    async def __aenter__(self):
        return 2.5

    async def __aexit__(self, *exc):
        return True


def straight(x):
    y = x * 2
    pause()
    z = y + 1
    w = np.sqrt(z)
    return w - y


def multiline(x):
    # fmt: off
    y = (
        x * 2
        + 1
    )
    pause()
    return np.where(
        y > 3,
        y * 2,
        y - 1,
    )
    # fmt: on


def loops(x):
    total = x * 0
    for i in range(4):
        if i % 2:
            total = total + x
            continue
        pause()
        total = total - (x * 2)
    n = 0
    while n < 3:
        n += 1
        total = total * 0.5
    return total


def loops_over_calls(x):
    total = x * 0
    for part in yields(x):
        total = total + part
        total = total * plain_helper(part)
        total = total - 1  # noqa: E702
    return total


def early_exits(x):
    for i in range(3):
        y = x * i
        pause()
        for j in range(3):
            y = y + j
            if j == 1:
                break
        else:
            y = y * 7
        if i == 1:
            return y
    return x


def raises(x):
    y = x * 2
    pause()
    try:
        y = y + np.ones(99)
    except ValueError:
        y = y + 1
    finally:
        y = y * 3
    try:
        pause()
        raise KeyError
    except (IndexError, KeyError) as error:
        y = y - len(error.args)
    return y


def managed(x):
    y = x * 2
    with Manager() as a, Manager():
        y = y + a
        pause()
        y = y * 2
        y = y + np.ones(99)
    z = y - 1
    return z


def yields(x):
    y = x * 2
    yield y
    for i in range(3):
        y = y + i
        pause()
        yield y * 2
    z = y + 1
    yield z


def delegates(x):
    first = x + 1
    second = yield from yields(first)
    pause()
    y = first * 2
    yield y
    return second


def expressions(x):
    y = x * 2
    pause()
    total = sum((y * i).sum() for i in range(3))
    parts = [y + i for i in range(3)]
    pause()
    table = {i: part * 2 for i, part in enumerate(parts)}
    return total, table[1] + parts[2]


async def awaits(x):
    y = x * 2
    factor = await Awaitable()
    pause()
    y = y * factor
    z = y + await inner(y)
    return z - 1


async def inner(x):
    y = x + 1
    await Awaitable()
    return y * 2


async def async_for(x):
    total = x * 0
    async for i in Countdown(3):
        y = x * i
        pause()
        total = total + y
    else:
        total = total - 1
    return total * 2


async def async_with(x):
    y = x * 2
    async with Manager() as a:
        y = y + a
        pause()
        y = y * 2
        y = y + np.ones(99)
    return y - 1


async def async_comprehension(x):
    y = x * 2
    parts = [y * i async for i in Countdown(3)]
    pause()
    total = parts[0] + parts[1]
    async for part in (y + i async for i in Countdown(2)):
        total = total + part
    return total


def nested(x):
    scale = x + 1

    def helper(y):
        z = y * scale
        pause()
        return z + 1

    total = helper(x)
    for i in range(2):
        total = total + helper(total * i)
    return total - 1


def calls_helper(x):
    y = plain_helper(x)
    pause()
    z = plain_helper(y * 2)
    return z + 1


def plain_helper(x):
    y = x + 1
    return y * 2


def matches(x):
    y = x * 2
    for item in (1, (2, 3), "other"):
        match item:
            case int():
                y = y + 1
            case (a, b):
                pause()
                y = y * a - b
            case _:
                y = y - 1
    return y


PROGRAMS = [
    straight,
    multiline,
    loops,
    loops_over_calls,
    early_exits,
    raises,
    managed,
    yields,
    delegates,
    expressions,
    awaits,
    async_for,
    async_with,
    async_comprehension,
    nested,
    calls_helper,
    matches,
]
