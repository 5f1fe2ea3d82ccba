"""The cost of tracing, before it gains anything: `python -m bench.first_call`.

Every figure is a median of interleaved repetitions: eager and optimised alternate, so that a slow
moment of the machine affects both. Each repetition of a first call compiles its function anew,
because traces belong to the code object. First calls are measured in the thread's CPU time, minus
eager's, summed over the calls until the last version runs. `bench.first_programs` has the networks,
named tuples and functions of many locals.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from statistics import median
from typing import Any

import numpy as np

import dyntrace
from bench import first_programs
from dyntrace import config

OPERATIONS = ("x * 1.5", "x + y", "np.sin(x)", "x - 0.25", "np.sqrt(np.abs(x))", "np.maximum(x, y)")


CALLS = 12  # by then no program here gets another version
Program = tuple[Callable[..., Any], tuple[Any, ...]]


def straight_function(lines: int) -> Callable[..., Any]:
    """A function of `lines` statements of one to two NumPy operations each, compiled just now."""
    body = [f"    x = {OPERATIONS[i % len(OPERATIONS)]}" for i in range(lines)]
    source = "\n".join(["def function(x, y):", *body, "    return x"])
    return define(source, "function")


def dense_function(lines: int) -> Callable[..., Any]:
    """A function of `lines` lines with several names, branches and views, as long ones have."""
    body = ["    v0 = x", "    v1 = y"]
    for i in range((lines - 4) // 4):
        a, b, c = f"v{i % 8}", f"v{(i + 1) % 8}", f"v{(i + 2) % 8}"
        body += [
            f"    {c} = {a} * 0.5 + {b} * (1.0 - 0.01 * {i})",
            f"    if {i} > n:",
            f"        {c} = {c}[::-1]",
            f"    {a} = np.tanh({c} - {a} / 3.0) + np.abs({b})",
        ]
    source = "\n".join(["def function(x, y, n=10**6):", *body, "    return v0 + v1"])
    return define(source, "function")


def define(source: str, name: str) -> Callable[..., Any]:
    namespace: dict[str, Any] = {"np": np}
    exec(compile(source, "<first_call>", "exec"), namespace)
    function: Callable[..., Any] = namespace[name]
    return function


def seconds(function: Callable[..., Any], *args: Any) -> float:
    start = time.thread_time()
    function(*args)
    return time.thread_time() - start


def program(source: str) -> Callable[[], Program]:
    """Compiles `source` anew each time it is called: what to optimise, with its arguments."""

    def made() -> Program:
        namespace: dict[str, Any] = {"__name__": "program"}
        exec(compile(source, "<program>", "exec"), namespace)
        return namespace["drive"], namespace["make"]()

    return made


def lines(make: Callable[[int], Callable[..., Any]], count: int) -> Callable[[], Program]:
    """Makes a function of so many lines anew each time it is called."""
    x, y = np.linspace(0.1, 1.0, 10), np.linspace(1.0, 2.0, 10)
    return lambda: (make(count), (x, y))


def first_calls(make: Callable[[], Program], repetitions: int, calls: int) -> list[float]:
    """Median milliseconds over eager of each of the first `calls` calls, `optimize` included."""
    over: list[list[float]] = [[] for _ in range(calls)]
    for _ in range(repetitions):
        (eager, plain_args), (original, args) = make(), make()
        start = time.thread_time()
        optimised = dyntrace.optimize(original)
        wrapping = time.thread_time() - start
        for number in range(calls):
            plain = seconds(eager, *plain_args)
            ours = seconds(optimised, *args)
            over[number].append(1e3 * (ours - plain + (wrapping if number == 0 else 0.0)))
    return [median(values) for values in over]


def per_call(
    eager: Callable[..., Any], ours: Callable[..., Any], args: tuple[Any, ...], loops: int
) -> tuple[float, float]:
    """Median nanoseconds per call of both, loop overhead taken off, interleaved."""
    for _ in range(200):
        ours(*args)
    times: tuple[list[float], list[float], list[float]] = ([], [], [])
    for _ in range(31):
        for values, function in zip(times, (None, eager, ours), strict=True):
            values.append(timed_loop(function, args, loops) / loops * 1e9)
    empty, plain, optimised = map(median, times)
    return plain - empty, optimised - empty


def timed_loop(function: Callable[..., Any] | None, args: tuple[Any, ...], loops: int) -> float:
    steps = range(loops)
    start = time.perf_counter()
    if function is None:
        for _ in steps:
            pass
    else:
        for _ in steps:
            function(*args)
    return time.perf_counter() - start


def nothing_to_gain(a: Any) -> Any:
    return a


def text_work(a: str) -> str:
    return a.upper() if a else a


def counting(items: list[int]) -> int:
    total = 0
    for item in items:
        if item % 2:
            total += item
    return total


def five_operations(x: Any, y: Any) -> Any:
    return np.sqrt(x * y + 2.0) - x / y


def report_first_calls(repetitions: int) -> None:
    cases: list[tuple[str, Callable[[], Program], int]] = [
        ("20 operations", lines(straight_function, 17), 3),
        ("300 lines, straight", lines(straight_function, 298), 30),
        ("300 lines, branches", lines(dense_function, 300), 60),
        ("an LSTM's training step", program(first_programs.LSTM), 25),
        ("a small Adam net", program(first_programs.ADAM), 25),
        ("a named tuple of 4,000 fields", program(first_programs.named_tuple(4000)), 100),
        ("600 locals", program(first_programs.many_locals(600)), 100),
    ]
    for name, make, limit in cases:
        first, *later = first_calls(make, repetitions, CALLS)
        print(
            f"over eager until the last version runs, {name}: {first + sum(later):.2f} ms"
            f" (limit {limit} ms); call 1: {first:.2f}, calls 2 to 4:"
            f" {', '.join(f'{value:.2f}' for value in later[:3])} ms"
        )


def report_overheads(loops: int) -> None:
    cases: list[tuple[Callable[..., Any], tuple[Any, ...]]] = [
        (nothing_to_gain, (1,)),
        (nothing_to_gain, (np.ones(3),)),
        (text_work, ("text",)),
        (counting, ([1, 2, 3, 4],)),
    ]
    for function, args in cases:
        plain, ours = per_call(function, dyntrace.optimize(function), args, loops)
        print(
            f"nothing to gain, {function.__name__}({type(args[0]).__name__}):"
            f" {ours - plain:+.0f} ns per call over {plain:.0f} ns (limit 60 ns)"
        )
    x, y = np.linspace(0.1, 1.0, 10), np.linspace(1.0, 2.0, 10)
    plain, ours = per_call(five_operations, dyntrace.optimize(five_operations), (x, y), loops // 10)
    print(
        f"5 operations on 10 elements: eager {plain:.0f} ns, optimised {ours:.0f} ns,"
        f" {ours / plain:.2f} times eager"
    )


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    arguments.add_argument("--repetitions", type=int, default=15)
    arguments.add_argument("--loops", type=int, default=20_000)
    options = arguments.parse_args()
    print(f"native module: {'in use' if config.native else 'not in use'}; NumPy {np.__version__}")
    report_first_calls(options.repetitions)
    report_overheads(options.loops)


if __name__ == "__main__":
    main()
