"""Programs whose loops meet the reasons DT8xx, for `tests/test_breaks.py`."""

from __future__ import annotations

import random

import numpy as np

__all__ = ["REASONS_OF_LOOPS", "from_source"]

A = np.arange(1.0, 7.0)
REASONS_OF_LOOPS: dict[str, object] = {}


def from_source(text, *names):
    """The function `program` of Python that not every version can read; None if it cannot."""
    space = {"random": random}
    try:
        exec(text, space)
    except SyntaxError:
        return None
    return space["program"]


def program(code, *args):
    """Register a function, with its arguments, as the program that meets `code`."""

    def add(function):
        REASONS_OF_LOOPS[code] = (function, args)
        return function

    return add


@program("DT801", 50)
def loop_that_breaks(n):
    for i in range(n):
        if i * i > n:
            break
    return i


@program("DT802", 50)
def loop_that_hands_on_texts(n, one="a", other="b"):
    for i in range(n):
        one, other = other, one
    return one


@program("DT803", 50)
def loop_that_changes_a_type(n):
    total = 0
    for i in range(n):
        total += 0.5
    return total


@program("DT804", "text")
def loop_over_a_text(text):
    count = 0
    for letter in text:
        count += 1
    return count


@program("DT805", 50)
def loop_that_draws(n):
    total = 0.0
    for i in range(n):
        total += random.random()
    return total


NAMES = [f"x{number}" for number in range(80)]
REASONS_OF_LOOPS["DT806"] = (
    from_source(
        f"def program(n):\n    {' = '.join(NAMES)} = 0\n    for i in range(n):\n"
        + "".join(f"        {name} = {name} + i\n" for name in NAMES)
        + f"    return {' + '.join(NAMES)}"
    ),
    (50,),
)


@program("DT809", 200)
def loop_of_few_iterations(n):
    total = 0.0
    for i in range(n):
        draw = random.random()
        for j in range(2):
            total += draw
    return total


@program("DT807", 50)
def loop_that_stores_in_some_iterations(n):
    total = 0
    for i in range(n):
        if i % 10 == 0:
            last = i
        total += last
    return total


@program("DT808", A)
def loop_that_transforms(a, fft=np.fft.fft):
    count = 0
    for i in range(50):
        if i % 10 == 0:
            count += fft(a).size
    return count
